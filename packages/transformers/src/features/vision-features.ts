// Picks the features that feed vision coverage among what the encoder gave: from before the projector, or projected.

import type { Float32Tensor } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { VisionFeaturesError } from '../errors/vision-features-error.js';
import type { EncodedVision } from '../hook/route.js';
import { toFloat32 } from '../upstream/tensors.js';
import type { TensorLike } from '../upstream/types.js';
import { readSaliency } from './vision-saliency.js';

/** Which features fed vision coverage. */
export type VisionFeatureSource = 'preProjector' | 'projected';

/** Vision tokens of a prompt, one row each. */
export interface VisionRows {
  /** `[n, D]`: what the language model receives. */
  readonly projected: Float32Tensor;
  /** `[n, d]`: what vision coverage compares. */
  readonly features: Float32Tensor;
  readonly source: VisionFeatureSource;
  /** One number per token, where the encoder gives them. */
  readonly saliency?: Float32Array;
  readonly notes: readonly string[];
}

/** `[…, d]` as `[n, d]` in 32-bit floats. */
function asMatrix(tensor: TensorLike): Float32Tensor {
  const width = tensor.dims.at(-1) ?? 0;
  const { data } = toFloat32(tensor);
  return float32(data, [width === 0 ? 0 : data.length / width, width]);
}

/**
 * Reads the encoder's output.
 * @param wanted `'auto'` takes features from before the projector where the encoder gives them.
 * @param output the name of the output that holds them; by default the encoder's only other output of matching shape.
 * @throws VisionFeaturesError if features from before the projector are demanded but not there, or a saliency does not fit.
 */
export function visionRows(
  encoded: EncodedVision,
  wanted: 'auto' | VisionFeatureSource,
  output: string | undefined,
): VisionRows {
  const projected = asMatrix(encoded.projected);
  const count = projected.dims[0] as number;
  const saliency = encoded.saliency && readSaliency(encoded.saliency, count);
  const plain: VisionRows = {
    projected,
    features: projected,
    source: 'projected',
    ...(saliency && { saliency }),
    notes: [],
  };
  if (wanted === 'projected') return plain;
  const names = output === undefined ? Object.keys(encoded.others) : [output];
  for (const name of names) {
    const found = encoded.others[name];
    const features = found === undefined ? undefined : rowPerToken(asMatrix(found), found, count);
    if (features !== undefined) return { ...plain, features, source: 'preProjector' };
  }
  const problem =
    names.length === 0 || names.every((name) => encoded.others[name] === undefined)
      ? `the vision encoder has no such output${output === undefined ? '' : ` '${output}'`}`
      : `none of the encoder's outputs (${names.join(', ')}) has one row for each of the ${count} vision tokens`;
  if (wanted === 'preProjector' || output !== undefined) {
    throw new VisionFeaturesError(
      `${problem}; load the model with loadVlm(), which taps them, or set visionFeatures: 'auto'`,
    );
  }
  return { ...plain, notes: names.length === 0 ? [] : [problem] };
}

/** The rows that stand for vision tokens; a leading class token of each image is dropped. */
function rowPerToken(
  features: Float32Tensor,
  { dims }: TensorLike,
  count: number,
): Float32Tensor | undefined {
  const [rows = 0, width = 0] = features.dims;
  if (rows === count) return features;
  const perImage = dims.at(-2) ?? 0;
  const images = perImage === 0 ? 0 : rows / perImage;
  if (dims.length !== 3 || images * (perImage - 1) !== count) return undefined;
  const data = new Float32Array(count * width);
  for (let image = 0; image < images; image++) {
    const from = (image * perImage + 1) * width;
    data.set(features.data.subarray(from, from + (perImage - 1) * width), image * (perImage - 1) * width);
  }
  return float32(data, [count, width]);
}
