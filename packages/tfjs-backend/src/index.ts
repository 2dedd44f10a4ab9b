export type { TfjsEngineInfo } from './engine.js';
export type { TfjsBackendOptions } from './options.js';
export type { Tfjs, TfjsTensor } from './tfjs.js';
export { createTfjsBackend, type TfjsBackend } from './tfjs-backend.js';
