export { createReferenceBackend } from './reference-backend.js';
export { type ReferenceTensor, referenceOps } from './reference-ops.js';
