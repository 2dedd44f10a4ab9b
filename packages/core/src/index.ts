// The public surface of @mmtok/core. Backends, models and engines live in sibling packages.

export * from './backend/index.js';
export {
  createReferenceBackend,
  type ReferenceTensor,
  referenceOps,
} from './backend/reference/index.js';
export * from './coverage/index.js';
export * from './errors/index.js';
export * from './maximize/index.js';
export * from './selection/index.js';
export { cosineSimilarity } from './similarity/cosine.js';
export { normalizeRows } from './similarity/normalize.js';
export * from './text/index.js';
