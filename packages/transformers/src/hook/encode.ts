// Gets the encoded images of a call: from an earlier turn, from the cache, or by running the encoder.

import { digest } from '../features/image-key.js';
import { VisionEntry } from '../features/vision-cache.js';
import type { ModelInputs } from '../upstream/types.js';
import type { PruneCall } from './prune-call.js';
import type { Site } from './site.js';

/** The inputs that describe the images of a call. */
export function imageInputsOf({ family }: Pick<Site, 'family'>, inputs: ModelInputs): ModelInputs {
  const names = [...family.route.imageInputs, 'image_grid_thw', 'image_sizes'];
  return Object.fromEntries(names.flatMap((name) => (inputs[name] == null ? [] : [[name, inputs[name]]])));
}

/** The encoded images; `hit` where the encoder did not have to run. */
export async function encodeImages(
  site: Site,
  call: PruneCall,
  inputs: ModelInputs,
): Promise<{ readonly entry: VisionEntry; readonly hit: boolean }> {
  if (inputs.pixel_values == null && call.keptVision !== undefined)
    return { entry: call.keptVision.entry, hit: true };
  const isKept = call.options.turns === 'reselect';
  const run = async (): Promise<VisionEntry> =>
    new VisionEntry(await site.family.route.encode(site.model, inputs), isKept);
  if (!isKept) return { entry: await run(), hit: false };
  const { entry, hit } = site.visionCache.get(await digest(imageInputsOf(site, inputs)), run);
  return { entry: await entry, hit };
}
