// What packages beside this one share with it. Not for users: it may change with any version.

export { canFitImages } from './families/fit-image.js';
export { withoutPlaceholders } from './families/prompt-text.js';
export { loadOptionShape } from './files/load-vlm.js';
export { untilAborted } from './internal/until-aborted.js';
export { readImage } from './vlm/images.js';
export { visionTokensPerImage } from './vlm/runner.js';
