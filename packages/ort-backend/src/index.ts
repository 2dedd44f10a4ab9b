// The public surface of @mmtok/ort-backend: one factory.

export type { OrtDevice } from './devices.js';
export type { OrtModule, OrtSession, OrtTensor } from './ort-api.js';
export { createOrtBackend, type OrtBackendOptions } from './ort-backend.js';
