// Cosine similarities on a backend, as the methods of this folder share them. No method here.

import { type Backend, cosineSimilarity, type Float32Tensor } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';

/** A dense row-major matrix. */
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

const cosines = defineProgram({
  name: 'cosines',
  inputs: { a: { dims: ['n', 'd'] }, b: { dims: ['m', 'd'] } },
  outputs: { similarity: { dims: ['n', 'm'] } },
  build: (ops, { a, b }) => ({ similarity: cosineSimilarity(ops, a, b) }),
});

/** Cosines `[n, m]` of every row of `a` with every row of `b`. */
export async function cosineMatrix(backend: Backend, a: Float32Tensor, b: Float32Tensor): Promise<Matrix> {
  const { similarity } = await backend.run(cosines, { a, b });
  return {
    data: (similarity as Float32Tensor).data,
    rows: a.dims[0] as number,
    columns: b.dims[0] as number,
  };
}

/** A tensor whose rows have lost their mean. */
export function centered({ data, dims }: Float32Tensor): Float32Tensor {
  const [n, d] = dims as readonly [number, number];
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let c = 0; c < d; c++) mean[c]! += data[i * d + c]! / n;
  return float32(
    data.map((value, at) => value - mean[at % d]!),
    dims,
  );
}

/** The mean of each row of a matrix. */
export function rowMeans({ data, rows, columns }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += data[row * columns + column]!;
    return sum / columns;
  });
}
