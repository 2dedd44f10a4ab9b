// Finds and loads a TensorFlow.js module on Node. no-tfjs.ts replaces it in browsers.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackendUnavailableError } from '@mmtok/core';
import { brokenEngine, noEngine } from './broken-engine.js';
import type { TfjsEngineInfo } from './engine.js';
import { findNativeAddon, TFJS_NODE_PACKAGE } from './native/native-location.js';
import { isTfjs, type Tfjs } from './tfjs.js';

const require: NodeJS.Require = createRequire(import.meta.url);

const NATIVE = [TFJS_NODE_PACKAGE, '@tensorflow/tfjs-node'] as const;
const PLAIN = '@tensorflow/tfjs';
const WASM = '@tensorflow/tfjs-backend-wasm';

/** Which module to load. Both members are optional. */
export interface ModuleChoice {
  readonly module: string | undefined;
  readonly tfBackend: string | undefined;
}

/**
 * Loads the requested module, or the first one found.
 * @throws BackendUnavailableError if there is none, or the first one found is broken.
 */
export function loadTfjs({ module, tfBackend }: ModuleChoice): {
  readonly tf: Tfjs;
  readonly info: TfjsEngineInfo;
} {
  const candidates = module === undefined ? candidatesFor(tfBackend) : [module];
  for (const name of candidates) {
    const path = resolve(name);
    if (path === undefined) continue;
    const tf = load(name, path);
    if (tfBackend === 'wasm') loadWasm(dirname(path));
    return { tf, info: { module: name, version: tf.version['tfjs-core'] ?? 'unknown' } };
  }
  throw noEngine(candidates);
}

function candidatesFor(tfBackend: string | undefined): readonly string[] {
  const named = process.env.MMTOK_TFJS_MODULE;
  if (named) return [named];
  const built = findNativeAddon();
  const native = built === undefined ? NATIVE : [built, ...NATIVE];
  if (tfBackend === undefined) return [...native, PLAIN];
  return tfBackend === 'tensorflow' ? native : [PLAIN];
}

/** The file of a module, resolved from this package or else from the current folder; undefined if it is not installed. */
function resolve(name: string, ...from: readonly string[]): string | undefined {
  try {
    return require.resolve(name, {
      paths: [...from, dirname(fileURLToPath(import.meta.url)), process.cwd()],
    });
  } catch {
    return undefined;
  }
}

function load(name: string, path: string): Tfjs {
  let loaded: unknown;
  try {
    loaded = require(path);
  } catch (error) {
    throw brokenEngine(name, error);
  }
  if (isTfjs(loaded)) return loaded;
  throw brokenEngine(name, 'it is not a TensorFlow.js module (it lacks tidy, tensor, matMul or ready)');
}

/** The WASM backend registers itself with the TensorFlow.js installed next to it. */
function loadWasm(beside: string): void {
  const path = resolve(WASM, beside);
  if (path === undefined) {
    throw new BackendUnavailableError(
      'tfjs',
      `the backend 'wasm' was requested, but ${WASM} is not installed`,
      `Install it in the same version as ${PLAIN}: npm install ${WASM}`,
    );
  }
  try {
    require(path);
  } catch (error) {
    throw brokenEngine(WASM, error);
  }
}
