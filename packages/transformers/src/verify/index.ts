// Verifies pruning on a user's model: whether it is correct, and whether it pays off. Entry `@mmtok/transformers/verify`.

export { type QuestionKind, type VerifyImage, verifyImages } from './images.js';
export type * from './report.js';
export { type VerifyOptions, type VerifyProgress, verifyVlm } from './verify.js';
