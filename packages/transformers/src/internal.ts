// Internal exports shared with other packages of this repository. Not a public API: may change in any version.

export { canFitImages } from './families/fit-image.js';
export { withoutPlaceholders } from './families/prompt-text.js';
export { loadOptionShape } from './files/load-vlm.js';
export { readImage } from './vlm/images.js';
export { visionTokensPerImage } from './vlm/runner.js';
