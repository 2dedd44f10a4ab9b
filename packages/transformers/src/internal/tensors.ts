// Creates and reads tensors of the class that the caller's transformers.js uses, and moves their rows and columns.

import type { Float32Tensor } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { floatsToHalves, gatherRows, scatterRows } from '@mmtok/core/internal';
import { PromptMismatchError } from '../errors.js';
import type { TensorData, TensorLike } from './types.js';

type TensorClass = new (type: string, data: TensorData, dims: readonly number[]) => TensorLike;

/**
 * A tensor of the class of `like`. transformers.js checks its inputs with `instanceof`, and a process may contain two copies
 * of the library, so the class comes from a tensor that the caller's model accepts.
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

/** The same values as 32-bit floats. */
export function toFloat32(tensor: TensorLike): TensorLike & { readonly data: Float32Array } {
  return (tensor.type === 'float32' ? tensor : tensor.to('float32')) as TensorLike & {
    readonly data: Float32Array;
  };
}

/**
 * The same values in another float type. Upstream's `to('float16')` truncates numbers to integers if there is no
 * Float16Array, as in Node 20.
 */
export function toFloatType(tensor: TensorLike, type: string): TensorLike {
  if (tensor.type === type) return tensor;
  const isCut = type === 'float16' && !('Float16Array' in globalThis);
  return isCut
    ? makeTensor(tensor, type, floatsToHalves(toFloat32(tensor).data), tensor.dims)
    : tensor.to(type);
}

/**
 * Moves entries of the last axis: `[..., from]` to `[..., to]`, with the positions `kept[row % batch]` for each row.
 * Position −1 is filled with `fill`.
 */
export function gatherPositions(
  tensor: TensorLike,
  kept: readonly (readonly number[])[],
  fill: bigint,
): TensorLike {
  const from = tensor.dims.at(-1) ?? 0;
  const to = kept[0]?.length ?? 0;
  const source = tensor.data as BigInt64Array;
  const rows = from === 0 ? 0 : source.length / from;
  const target = new BigInt64Array(rows * to);
  for (let row = 0; row < rows; row++) {
    const positions = kept[row % kept.length] as readonly number[];
    positions.forEach((position, at) => {
      target[row * to + at] = position < 0 ? fill : (source[row * from + position] as bigint);
    });
  }
  return makeTensor(tensor, tensor.type, target, [...tensor.dims.slice(0, -1), to]);
}

/** Rows of a tensor `[…, D]`, as `[rows, D]` of the same element type. */
export function tensorRows(tensor: TensorLike, rows: readonly number[]): TensorLike {
  const width = tensor.dims.at(-1) ?? 0;
  const data = gatherRows(tensor.data as Float32Array, width, rows);
  return makeTensor(tensor, tensor.type, data as TensorData, [rows.length, width]);
}

/**
 * Writes `features` `[n, D]` into embeddings `[batch, tokens, D]` at the positions of each prompt, in order. Works in place:
 * a new tensor would not be of the class that sessions return.
 */
export function writeRowsAt(
  embeddings: TensorLike,
  positions: readonly (readonly number[])[],
  features: TensorLike,
): TensorLike {
  const [, tokens = 0, width = 0] = embeddings.dims;
  const rows = positions.flatMap((own, batchIndex) => own.map((position) => batchIndex * tokens + position));
  const source = toFloatType(features, embeddings.type).data as Float32Array;
  scatterRows(embeddings.data as Float32Array, width, rows, source);
  return embeddings;
}

/** The number of rows of a tensor `[…, D]`. */
export function rowCount({ dims }: Pick<TensorLike, 'dims'>): number {
  return dims.slice(0, -1).reduce((product, length) => product * length, 1);
}

/** `[…, d]` as a matrix `[n, d]` of 32-bit floats. */
export function toFloat32Matrix(tensor: TensorLike): Float32Tensor {
  const width = tensor.dims.at(-1) ?? 0;
  const { data } = toFloat32(tensor);
  return float32(data, [width === 0 ? 0 : data.length / width, width]);
}

/** The rows `start … start + count` of a matrix, without a copy. */
export function matrixSlice({ data, dims }: Float32Tensor, start: number, count: number): Float32Tensor {
  const width = dims[1] as number;
  return float32(data.subarray(start * width, (start + count) * width), [count, width]);
}

/** The given rows of a matrix, as a copy. */
export function matrixRows({ data, dims }: Float32Tensor, rows: readonly number[]): Float32Tensor {
  const width = dims[1] as number;
  return float32(gatherRows(data, width, rows), [rows.length, width]);
}
