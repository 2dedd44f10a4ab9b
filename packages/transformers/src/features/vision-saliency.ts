// What a vision encoder says about how much each of its tokens matters, where it says so: a further output, such as the
// attention of the encoder's class token. How it is computed is the export's concern.

import { VisionFeaturesError } from '../errors/vision-features-error.js';
import { toFloat32 } from '../upstream/tensors.js';
import type { TensorLike } from '../upstream/types.js';

/** The encoder's output `[images or tiles, n]` of numbers ≥ 0, in the order of the vision tokens. */
export const SALIENCY_OUTPUT = 'vision_saliency';

/**
 * The saliency of all vision tokens of a prompt, one number each.
 * @throws VisionFeaturesError if there is not one number per token.
 */
export function readSaliency(output: TensorLike, tokens: number): Float32Array {
  const { data, dims } = toFloat32(output);
  if (data.length === tokens) return data;
  throw new VisionFeaturesError(
    `the vision encoder's output '${SALIENCY_OUTPUT}' has the shape [${dims}], where ${tokens} vision tokens need one number each; export it without class tokens and before any padding`,
  );
}
