// Tiny random vision-language models for tests: every family that transformers.js supports, built quickly and loaded offline.
export { buildTinyModel } from './build-tiny-model.js';
export { type FamilyName, families, familyNames } from './families/index.js';
export type { Family, ImageSize, ModelInputs } from './family.js';
export { invertBlock, noiseImage, noiseIn } from './images.js';
export type { LoadedTinyModel, TinyModel, TinyModelOptions } from './tiny-model.js';
