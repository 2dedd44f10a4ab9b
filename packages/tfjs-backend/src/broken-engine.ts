// The errors of engines that are missing, broken, or not ready, with hints.

import { BackendUnavailableError } from '@mmtok/core';
import { messageOf } from '@mmtok/core/internal';

/** The command that builds the native addon; see README.md. */
const BUILD_COMMAND = 'npx -p @mmtok/tfjs-backend mmtok-tfjs-native';

const OTHER_WAYS =
  "or use the slow engine that works everywhere: createTfjsBackend({ module: '@tensorflow/tfjs' }).";

/** The first line of an error's message. */
export function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0]?.trim() ?? '';
}

/** The error for an installed module that does not load or compute. */
export function brokenEngine(module: string, cause: unknown): BackendUnavailableError {
  const [problem, hint] = diagnose(module, firstLine(cause));
  return new BackendUnavailableError('tfjs', problem, hint, { cause });
}

/** The error for a backend of TensorFlow.js that is not ready after `ms` milliseconds. */
export function notReady(module: string, tfBackend: string, ms: number): BackendUnavailableError {
  const waitLonger = 'If it is still downloading, allow more time: createTfjsBackend({ timeoutMs }).';
  return new BackendUnavailableError(
    'tfjs',
    `the backend '${tfBackend}' of TensorFlow.js (${module}) was not ready after ${ms / 1000} s`,
    tfBackend === 'wasm'
      ? "Its threads do not start in pages that Vite minifies; turn them off before the first use: tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false). " +
          waitLonger
      : waitLonger,
  );
}

/** The error if no module is installed. */
export function noEngine(tried: readonly string[]): BackendUnavailableError {
  return new BackendUnavailableError(
    'tfjs',
    `no TensorFlow.js was found (looked for ${tried.join(', ')})`,
    'Install one: npm install @tensorflow/tfjs (works everywhere, slow) or @tensorflow/tfjs-node (native), ' +
      `or build the native addon: ${BUILD_COMMAND} (Linux x64; with --cuda for NVIDIA GPUs).`,
  );
}

function diagnose(module: string, message: string): readonly [problem: string, hint: string] {
  if (/tfjs_binding\.node/.test(message) && /can ?not be found/i.test(message)) {
    return [
      `${module} is installed without its native addon (its install script did not run, or could not download it)`,
      `Build one: ${BUILD_COMMAND} (Linux x64; with --cuda for NVIDIA GPUs), or let the package install its own: npm rebuild, ${OTHER_WAYS}`,
    ];
  }
  if (/isNullOrUndefined|isArray.* is not a function/.test(message)) {
    return [
      `${module} does not work on Node ${globalThis.process?.version}: it calls functions that Node 23 removed`,
      `Use Node 22 or older, or build an addon that runs on newer ones: ${BUILD_COMMAND} (Linux x64), ${OTHER_WAYS}`,
    ];
  }
  return [
    `${module} could not be loaded or does not compute: ${message}`,
    `Reinstall it, or build the native addon: ${BUILD_COMMAND} (Linux x64; with --cuda for NVIDIA GPUs), ${OTHER_WAYS}`,
  ];
}
