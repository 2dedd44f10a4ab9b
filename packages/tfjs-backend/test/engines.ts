// The engines the tests run on, each in its own test file, because TensorFlow.js is one engine per process.

import { createTfjsBackend, type TfjsBackend } from '../src/index.js';
import { findNativeAddon } from '../src/native/native-location.js';

/** Plain JavaScript: always there. */
export const createPlain = (): Promise<TfjsBackend> =>
  createTfjsBackend({ module: '@tensorflow/tfjs', tfBackend: 'cpu' });

/** WebAssembly: always there. */
export const createWasm = (): Promise<TfjsBackend> => createTfjsBackend({ tfBackend: 'wasm' });

/** The package folder of the native addon, where `pnpm native:tfjs` has built it; tests skip where it is undefined. */
export const nativeAddon: string | undefined = findNativeAddon();

/** The native addon. */
export const createNative = (): Promise<TfjsBackend> =>
  createTfjsBackend({ module: nativeAddon as string, tfBackend: 'tensorflow' });
