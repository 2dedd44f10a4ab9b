// Where `mmtok-tfjs-native` keeps the native addon, and whether it has been built.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The TensorFlow that the addon is built against: CPU only, or with CUDA 12 for NVIDIA GPUs. */
export type NativeFlavor = 'cpu' | 'cuda';

/** Flavors in order of preference; the CUDA one also runs on machines without a GPU. */
const FLAVORS = ['cuda', 'cpu'] as const satisfies readonly NativeFlavor[];

export const TENSORFLOW_VERSION = '2.21.0';
export const TFJS_NODE_VERSION = '4.22.0';
export const TFJS_NODE_PACKAGE = '@tensorflow/tfjs-node-gpu';

/** The folder of all builds: MMTOK_TFJS_NATIVE_DIR, or `mmtok/tfjs-native` in the user's cache folder. */
export function nativeRoot(env: NodeJS.ProcessEnv = process.env): string {
  const { MMTOK_TFJS_NATIVE_DIR: given, XDG_CACHE_HOME: cache } = env;
  return given || join(cache || join(homedir(), '.cache'), 'mmtok', 'tfjs-native');
}

/** The folder of one build. */
export function buildFolder(root: string, flavor: NativeFlavor): string {
  return join(root, `tfjs-${TFJS_NODE_VERSION}-tensorflow-${TENSORFLOW_VERSION}-${flavor}`);
}

/** The package folder inside a build: what `require` and the option `module` take. */
export function packageFolder(folder: string): string {
  return join(folder, 'node_modules', ...TFJS_NODE_PACKAGE.split('/'));
}

/** A file that a build writes last, so that an interrupted build never counts as finished. */
export function readyFile(folder: string): string {
  return join(folder, 'ready.json');
}

/** The package folder of a finished build, or undefined. */
export function findNativeAddon(root: string = nativeRoot()): string | undefined {
  const folder = FLAVORS.map((flavor) => buildFolder(root, flavor)).find((each) =>
    existsSync(readyFile(each)),
  );
  return folder === undefined ? undefined : packageFolder(folder);
}
