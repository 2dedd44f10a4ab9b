// Making and reading tensors of the very class that the caller's transformers.js uses. No arithmetic.

import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import { toHalves } from './half.js';
import type { TensorData, TensorLike } from './types.js';

type TensorClass = new (type: string, data: TensorData, dims: readonly number[]) => TensorLike;

/**
 * A tensor of the class of `like`. transformers.js checks its inputs with `instanceof`, and a process may hold two
 * copies of the library, so the class is taken from a tensor that the caller's model understands.
 */
export function makeTensor(
  like: TensorLike,
  type: string,
  data: TensorData,
  dims: readonly number[],
): TensorLike {
  return new (like.constructor as TensorClass)(type, data, dims);
}

/** An `int64` tensor `[rows, columns]` from rows of numbers. */
export function int64Matrix(like: TensorLike, rows: readonly (readonly number[])[]): TensorLike {
  const columns = rows[0]?.length ?? 0;
  return makeTensor(like, 'int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, columns]);
}

/** The rows of an integer or boolean tensor `[rows, columns]` as numbers. */
export function toRows(name: string, tensor: TensorLike): number[][] {
  const [rows, columns] = tensor.dims;
  if (tensor.dims.length !== 2 || rows === undefined || columns === undefined) {
    throw new PromptMismatchError(
      `${name} should have shape [batch, tokens], but has [${tensor.dims.join(', ')}]`,
    );
  }
  const flat = Array.from(tensor.data as ArrayLike<bigint | number | boolean>, Number);
  return Array.from({ length: rows }, (_, row) => flat.slice(row * columns, (row + 1) * columns));
}

/** The same values in 32-bit floats. */
export function toFloat32(tensor: TensorLike): TensorLike & { readonly data: Float32Array } {
  return (tensor.type === 'float32' ? tensor : tensor.to('float32')) as TensorLike & {
    readonly data: Float32Array;
  };
}

/**
 * The same values in another float type. Upstream's `to('float16')` cuts numbers down to integers where there is no
 * Float16Array, as in Node 20.
 */
export function toFloatType(tensor: TensorLike, type: string): TensorLike {
  if (tensor.type === type) return tensor;
  const isCut = type === 'float16' && !('Float16Array' in globalThis);
  return isCut ? makeTensor(tensor, type, toHalves(toFloat32(tensor).data), tensor.dims) : tensor.to(type);
}

/** Copies columns of the last axis: `[..., columns]` to `[..., kept]`, with `kept[row % batch]` for each row. */
export function gatherColumns(
  tensor: TensorLike,
  kept: readonly (readonly number[])[],
  fill: bigint,
): TensorLike {
  const columns = tensor.dims.at(-1) ?? 0;
  const width = kept[0]?.length ?? 0;
  const source = tensor.data as BigInt64Array;
  const rows = columns === 0 ? 0 : source.length / columns;
  const target = new BigInt64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const picks = kept[row % kept.length] as readonly number[];
    picks.forEach((column, at) => {
      target[row * width + at] = column < 0 ? fill : (source[row * columns + column] as bigint);
    });
  }
  return makeTensor(tensor, tensor.type, target, [...tensor.dims.slice(0, -1), width]);
}
