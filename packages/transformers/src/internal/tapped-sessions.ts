// Remembers which sessions have their projector's input exposed, and reads it from their outputs.

import { makeTensor } from './tensors.js';
import type { SessionLike, TensorData, TensorLike } from './types.js';
import type { ProjectorInput } from '../tap/find-projector-input.js';

const taps = new WeakMap<object, ProjectorInput>();

/** Notes that a session gives the projector's input among its outputs. */
export function rememberTap(session: SessionLike, tap: ProjectorInput): void {
  taps.set(session, tap);
}

/**
 * The tapped features of a session, by name, in the order of the vision tokens; all other outputs where there is no tap.
 * Rows whose order cannot be told are left out.
 */
export function tappedOutputs(
  session: SessionLike | undefined,
  outputs: Readonly<Record<string, TensorLike>>,
): Readonly<Record<string, TensorLike>> {
  const tap = session === undefined ? undefined : taps.get(session);
  const features = tap === undefined ? undefined : outputs[tap.features];
  if (tap === undefined || features === undefined) return outputs;
  const ordered = tap.order === undefined ? features : reordered(features, outputs[tap.order]);
  return ordered === undefined ? {} : { [tap.features]: ordered };
}

function reordered(features: TensorLike, order: TensorLike | undefined): TensorLike | undefined {
  const width = features.dims.at(-1) ?? 0;
  const source = features.data as Float32Array;
  const rows = width === 0 ? 0 : source.length / width;
  if (order === undefined) return undefined;
  const indices = Array.from(order.data as ArrayLike<bigint | number>, Number);
  const isPermutation = indices.length === rows && new Set(indices).size === rows;
  if (!isPermutation) return undefined;
  const target = new (source.constructor as new (length: number) => Float32Array)(source.length);
  indices.forEach((row, at) => {
    target.set(source.subarray(row * width, (row + 1) * width), at * width);
  });
  return makeTensor(features, features.type, target as TensorData, features.dims);
}
