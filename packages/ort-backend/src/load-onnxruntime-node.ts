// Finds the onnxruntime-node of this process. Node only; no-onnxruntime.ts replaces it elsewhere.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BackendUnavailableError } from '@mmtok/core';
import { messageOf } from '@mmtok/core/internal';
import type { OrtModule } from './ort-api.js';

const HINT =
  'Install it with `npm install onnxruntime-node` (or pass your own as createOrtBackend({ ort })).';

/**
 * Loads onnxruntime-node: the copy that is already loaded, else the one that transformers.js will load, else the one
 * installed with this package. The order matters because two versions in one process do not work on Linux (they share a
 * library name).
 *
 * @throws BackendUnavailableError if it is not installed or its native library does not load.
 */
export function loadDefaultOnnxRuntime(): OrtModule {
  // onnxruntime-node 1.30 writes telemetry files to the home directory unless disabled before it loads.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  const here = createRequire(import.meta.url);
  const loaded = Object.keys(here.cache).find((path) =>
    /[\\/]onnxruntime-node[\\/]dist[\\/]index\.js$/.test(path),
  );
  if (loaded !== undefined) return here(loaded) as OrtModule;

  const application = createRequire(pathToFileURL(join(process.cwd(), 'package.json')));
  const find = [
    () => createRequire(application.resolve('@huggingface/transformers')),
    () => createRequire(here.resolve('@huggingface/transformers')),
    () => here,
    () => application,
  ];
  for (const from of find) {
    const path = resolveFrom(from);
    if (path !== undefined) return requireNative(here, path);
  }
  throw new BackendUnavailableError('ort', 'the package onnxruntime-node is not installed', HINT);
}

function resolveFrom(from: () => NodeJS.Require): string | undefined {
  try {
    return from().resolve('onnxruntime-node');
  } catch {
    return undefined;
  }
}

function requireNative(require: NodeJS.Require, path: string): OrtModule {
  try {
    return require(path) as OrtModule;
  } catch (cause) {
    throw new BackendUnavailableError(
      'ort',
      `onnxruntime-node is installed at ${path}, but does not load (${messageOf(cause)})`,
      'If another version is loaded in this process, use one version for both; otherwise, reinstall it.',
      { cause },
    );
  }
}
