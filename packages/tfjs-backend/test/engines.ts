// The engines the tests run on, each in its own test file, because TensorFlow.js is one engine per process.

import { createTfjsBackend, type TfjsBackend } from '../src/index.js';
import { findNativeAddon } from '../src/native/native-location.js';

/** Plain JavaScript, always available. */
export const createPlain = (): Promise<TfjsBackend> =>
  createTfjsBackend({ module: '@tensorflow/tfjs', tfBackend: 'cpu' });

/** WebAssembly, always available. */
export const createWasm = (): Promise<TfjsBackend> => createTfjsBackend({ tfBackend: 'wasm' });

/** The package folder of the native addon if `pnpm native:tfjs` has built it. Tests are skipped if it is undefined. */
export const nativeAddon: string | undefined = findNativeAddon();

/** The native addon. */
export const createNative = (): Promise<TfjsBackend> =>
  createTfjsBackend({ module: nativeAddon as string, tfBackend: 'tensorflow' });
