// Vision of families that keep the aspect ratio of an image: patches of any grid, merged two by two, then a two-layer projector.
import { CHANNELS, VISION_HIDDEN } from '../dimensions.js';
import type { GraphBuilder } from '../graph/graph-builder.js';
import { length, linear } from '../graph/operators.js';
import type { Vision } from '../sessions.js';
import { MERGE, mergePatches } from './merge-patches.js';
import { rmsNorm } from './norm.js';
import { mlpProjector } from './projector.js';
import { gridTokens, patchGrid, visionLayers } from './tower.js';

/** `pixel_values` `[n, 3, height, width]` to features `[n, tokens, VISION_HIDDEN]`. */
export function anySizeVision(g: GraphBuilder): Vision {
  const pixels = g.input('pixel_values', 'float32', ['batch_size', CHANNELS, 'height', 'width']);
  const grid = patchGrid(g, pixels);
  const tokens = rmsNorm(
    g,
    visionLayers(g, gridTokens(g, grid)),
    '/multi_modal_projector/norm',
    VISION_HIDDEN,
  );
  const merged = mergePatches(g, tokens, length(g, grid, 2), length(g, grid, 3), VISION_HIDDEN);
  const features = linear(g, merged, '/multi_modal_projector/patch_merger/merging_layer', [
    MERGE ** 2 * VISION_HIDDEN,
    VISION_HIDDEN,
  ]);
  return { features, projected: mlpProjector(g, features, VISION_HIDDEN) };
}
