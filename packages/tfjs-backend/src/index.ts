export type { TfjsEngineInfo } from './engine.js';
export type { Tfjs, TfjsTensor } from './tfjs.js';
export { createTfjsBackend, type TfjsBackend, type TfjsBackendOptions } from './tfjs-backend.js';
