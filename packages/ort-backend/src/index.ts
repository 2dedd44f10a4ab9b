// The public API of @mmtok/ort-backend: the factory, and the runtime of a loaded model.

export type { OrtDevice } from './devices.js';
export { type LoadedModel, type ModelRuntime, runtimeOfModel } from './model-runtime.js';
export type { OrtModule, OrtSession, OrtTensor } from './ort-api.js';
export { createOrtBackend, type OrtBackendOptions } from './ort-backend.js';
