// Verifies pruning on a model of the user's: right or wrong, worth it or not. Entry `@mmtok/transformers/verify`.

export { type QuestionKind, type VerifyPicture, verifyPictures } from './pictures.js';
export type * from './report.js';
export { type VerifyOptions, type VerifyProgress, verifyVlm } from './verify.js';
