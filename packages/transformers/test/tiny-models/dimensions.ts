// The sizes that all tiny models share. Image sizes differ by family.

/** Width of the language model. */
export const HIDDEN = 16;
/** Width of the vision encoder before the projector; differs from `HIDDEN` so that the two cannot be mixed up. */
export const VISION_HIDDEN = 12;
export const HEADS = 2;
export const HEAD_DIM: number = HIDDEN / HEADS;
export const LAYERS = 2;
export const VOCABULARY = 64;
/** Side of an image patch in pixels. */
export const PATCH = 4;
export const CHANNELS = 3;
/** Width of one layer's per-layer embedding (Gemma 3n and 4). */
export const PER_LAYER = 4;
