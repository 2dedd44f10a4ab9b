// Vision of families that encode a square image as one grid of patches, with its preprocessing.
import { CHANNELS, PATCH, VISION_HIDDEN } from '../dimensions.js';
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import type { Vision } from '../sessions.js';
import { mlpProjector } from './projector.js';
import { gridTokens, patchGrid, visionLayers } from './tower.js';

/** Side of the image in pixels. */
export const SIDE = 16;
/** Patches along an edge of the image, and in all. */
export const SQUARE_GRID: number = SIDE / PATCH;
export const SQUARE_PATCHES: number = SQUARE_GRID ** 2;
export const SQUARE_IMAGE = { width: SIDE, height: SIDE } as const;

/** What image processors do to pixel values. */
export const NORMALIZATION = {
  do_rescale: true,
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
} as const;

/** Preprocessing as CLIP does it: the shorter edge to `SIDE`, then a crop from the middle. */
export const CLIP_PREPROCESSOR = {
  image_processor_type: 'CLIPImageProcessor',
  do_resize: true,
  size: { shortest_edge: SIDE },
  do_center_crop: true,
  crop_size: { height: SIDE, width: SIDE },
  ...NORMALIZATION,
} as const;

/** Preprocessing as SigLIP does it: the image is stretched to a square. */
export const SIGLIP_PREPROCESSOR = {
  image_processor_type: 'SiglipImageProcessor',
  do_resize: true,
  size: { height: SIDE, width: SIDE },
  ...NORMALIZATION,
} as const;

/** The patches of `pixel_values` `[n, 3, SIDE, SIDE]`, encoded: `[n, SQUARE_PATCHES, VISION_HIDDEN]`. */
export function squareFeatures(g: GraphBuilder): Value {
  const pixels = g.input('pixel_values', 'float32', ['batch_size', CHANNELS, SIDE, SIDE]);
  return visionLayers(g, gridTokens(g, patchGrid(g, pixels)));
}

/** All patches as visual tokens, through a projector of two layers. */
export function squareVision(g: GraphBuilder): Vision {
  const features = squareFeatures(g);
  return { features, projected: mlpProjector(g, features, VISION_HIDDEN) };
}
