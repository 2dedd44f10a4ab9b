// Loads a model by what the command line calls it and attaches pruning.

import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { MmtokError } from '@mmtok/core';
import type { LoadedVlm, LoadVlmOptions } from '@mmtok/transformers';
import { HubUnreachableError, UsageError } from '../errors.js';
import type { Io } from '../terminal/io.js';
import { createStatusLine } from '../terminal/status-line.js';
import { downloadProgress } from './download-progress.js';
import type { Vlm, VlmOptions } from './vlm.js';

/** The name of the embedded model. */
export const TINY = 'tiny';

/** The name of its smaller sibling, which is also an agent that needs no download. */
export const TINY_SMALL = 'tiny-small';

/** Loads models. */
export type LoadVlm = (options: VlmOptions, io: Io) => Promise<Vlm>;

/** A model of transformers.js and the library it came from. */
export interface LibraryModel {
  readonly library: typeof import('@huggingface/transformers');
  readonly loaded: LoadedVlm;
}

/**
 * Loads a model and attaches pruning. Downloads are kept in `mmtok/models` in the user's cache folder.
 * @throws UsageError for a name that is neither an embedded model's nor a hub id nor a folder.
 * @throws ModelLoadError if there is no such model, or the folder is none.
 * @throws HubUnreachableError if it must be downloaded, but cannot.
 * @throws UnsupportedModelError if it cannot be pruned.
 */
export const loadVlm: LoadVlm = async (options, io) => {
  const [{ library, loaded }, { PrunedVlm }] = await Promise.all([
    loadLibraryModel(options, io),
    import('./pruned-vlm.js'),
  ]);
  return new PrunedVlm(library, loaded, options);
};

/** Loads a model as {@link loadVlm} does, with nothing attached. */
export async function loadLibraryModel(
  { model: name, device, dtype }: Pick<VlmOptions, 'model' | 'device' | 'dtype'>,
  io: Io,
): Promise<LibraryModel> {
  const source = await locate(name, io.cwd);
  const [library, transformers] = await Promise.all([
    import('@huggingface/transformers'),
    import('@mmtok/transformers'),
  ]);
  const status = createStatusLine(io.stderr);
  status.show(`Loading ${name} …`);
  try {
    const loaded = await transformers.loadVlm(source, {
      ...(device !== undefined && { device }),
      ...(dtype !== undefined && { dtype }),
      onProgress: downloadProgress(name, status),
      cacheDir: modelCache(io),
      // Which devices there are, the library knows best; precisions were checked where they were read.
    } as LoadVlmOptions);
    return { library, loaded };
  } catch (error) {
    throw isUnreachable(error) ? new HubUnreachableError(name, { cause: error }) : error;
  } finally {
    status.clear();
  }
}

/** Whether a model is one of those that come along, which know nothing but drawn shapes. */
export function isEmbedded(name: string): boolean {
  return name === TINY || name === TINY_SMALL;
}

/**
 * The folder of a local model as an absolute path, or the hub id.
 * @throws UsageError for a name that is neither an embedded model's nor a hub id nor a folder.
 */
export async function locate(name: string, cwd: string): Promise<string> {
  if (isEmbedded(name)) {
    const { modelPath, smallModelPath } = await import('@mmtok/tiny-vlm');
    return name === TINY ? modelPath : smallModelPath;
  }
  const path = resolve(cwd, name);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return path;
  if (/^[\w-][\w.-]*\/[\w.-]+$/.test(name)) return name;
  throw new UsageError(
    `Unknown model '${name}': expected ${TINY}, ${TINY_SMALL}, an existing folder, or a hub id such as HuggingFaceTB/SmolVLM2-256M-Video-Instruct.`,
  );
}

/** The folder that downloads are kept in. */
export function modelCache({ env }: Io): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mmtok', 'models');
}

/** Whether loading failed for want of a network: what Node's fetch then says. */
export function isUnreachable(error: unknown): boolean {
  if (!MmtokError.isInstance(error)) return false;
  return error.cause instanceof Error && error.cause.message === 'fetch failed';
}
