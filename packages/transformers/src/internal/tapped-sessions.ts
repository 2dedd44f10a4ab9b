// Which sessions output the features before the projector, and how to read these features from their outputs.

import { makeTensor, rowCount, tensorRows, toFloat32 } from './tensors.js';
import type { SessionLike, TensorData, TensorLike } from './types.js';

/** Tensors of a vision encoder that are worth exposing. */
export interface ProjectorInput {
  /** The data input of the projector's first layer: one row per vision token. */
  readonly features: string;
  /**
   * Row indices that bring these rows into output order, if the encoder works in another order (the attention windows of
   * Qwen2.5-VL) and restores the token order only after the projector.
   */
  readonly order?: string;
  /**
   * The end of the encoder, before the projector's normalization: one row per patch; the patches of a vision token are adjacent.
   */
  readonly patches?: string;
  /** Whether the tensor has one column per vision token, because the layer transposes its input itself. */
  readonly transposed?: boolean;
}

/** What is known about a session that was opened with added outputs. */
export interface SessionTap extends ProjectorInput {
  /** Opens the encoder from the original file, for comparisons. Absent if the file was passed as bytes. */
  readonly reopen?: () => Promise<SessionLike>;
}

const taps = new WeakMap<object, SessionTap>();

/** Records that a session has the projector's input among its outputs. */
export function rememberTap(session: SessionLike, tap: SessionTap): void {
  taps.set(session, tap);
}

/** The tap of a session, if it has one. */
export function tapOf(session: SessionLike | undefined): SessionTap | undefined {
  return session === undefined ? undefined : taps.get(session);
}

/**
 * The tapped features of a session, by name, with one row per vision token, in token order; all other outputs if there is no
 * tap. Rows in an unknown order are omitted.
 */
export function tappedOutputs(
  session: SessionLike | undefined,
  outputs: Readonly<Record<string, TensorLike>>,
): Readonly<Record<string, TensorLike>> {
  const tap = session === undefined ? undefined : taps.get(session);
  const tapped = tap === undefined ? undefined : outputs[tap.features];
  if (tap === undefined || tapped === undefined) return outputs;
  const features = tap.transposed === true ? transpose(tapped) : tapped;
  const inOrder = (rows: TensorLike): TensorLike | undefined =>
    tap.order === undefined ? rows : reordered(rows, outputs[tap.order]);
  const ordered = inOrder(features);
  if (ordered === undefined) return {};
  const patches = tap.patches === undefined ? undefined : outputs[tap.patches];
  const means = patches && patchMeans(patches, rowCount(features));
  const orderedMeans = means && inOrder(means);
  return { [tap.features]: ordered, ...(orderedMeans && { [PATCH_MEANS]: orderedMeans }) };
}

/** The name of the mean of each token's patches among the tapped outputs. */
export const PATCH_MEANS = 'mmtok_patch_means';

/** The mean of the patches of each token, which are adjacent; nothing if they do not divide evenly. */
function patchMeans(patches: TensorLike, tokens: number): TensorLike | undefined {
  const { data } = toFloat32(patches);
  const width = patches.dims.at(-1) ?? 0;
  const merged = rowCount(patches) / tokens;
  if (!Number.isInteger(merged) || merged < 1) return undefined;
  const means = new Float32Array(tokens * width);
  for (let patch = 0; patch < tokens * merged; patch++) {
    const to = Math.floor(patch / merged) * width;
    for (let d = 0; d < width; d++) {
      means[to + d] = (means[to + d] as number) + (data[patch * width + d] as number) / merged;
    }
  }
  return makeTensor(patches, 'float32', means, [tokens, width]);
}

/** `[…, d, n]` as `[…, n, d]`. */
function transpose(tensor: TensorLike): TensorLike {
  const [d = 1, n = 1] = tensor.dims.slice(-2);
  const source = tensor.data as Float32Array;
  const target = new (source.constructor as new (length: number) => Float32Array)(source.length);
  for (let start = 0; start < source.length; start += d * n) {
    for (let row = 0; row < n; row++) {
      for (let at = 0; at < d; at++) target[start + row * d + at] = source[start + at * n + row] as number;
    }
  }
  return makeTensor(tensor, tensor.type, target as TensorData, [...tensor.dims.slice(0, -2), n, d]);
}

function reordered(features: TensorLike, order: TensorLike | undefined): TensorLike | undefined {
  if (order === undefined) return undefined;
  const width = features.dims.at(-1) ?? 0;
  const rows = width === 0 ? 0 : (features.data as Float32Array).length / width;
  const indices = Array.from(order.data as ArrayLike<bigint | number>, Number);
  const isPermutation = indices.length === rows && new Set(indices).size === rows;
  if (!isPermutation) return undefined;
  return makeTensor(features, features.type, tensorRows(features, indices).data as TensorData, features.dims);
}
