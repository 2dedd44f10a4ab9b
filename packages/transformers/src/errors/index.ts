export { AlreadyPrunedError } from './already-pruned-error.js';
export { InputError } from './input-error.js';
export { ModelLoadError } from './model-load-error.js';
export { PromptMismatchError } from './prompt-mismatch-error.js';
export { UnsupportedModelError } from './unsupported-model-error.js';
export { VisionFeaturesError } from './vision-features-error.js';
