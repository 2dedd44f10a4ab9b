// Loads a model by what the command line calls it and attaches pruning.

import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UsageError } from '../errors/usage-error.js';
import type { Io } from '../io.js';
import { createStatusLine } from '../terminal/status-line.js';
import { downloadProgress } from './download-progress.js';
import type { Vlm, VlmOptions } from './vlm.js';

/** The name of the embedded model. */
export const TINY = 'tiny';

/** Loads models. */
export type LoadVlm = (options: VlmOptions, io: Io) => Promise<Vlm>;

/**
 * Loads a model.
 * @throws UsageError for a name that is neither `tiny` nor a hub id nor a folder.
 * @throws ModelLoadError if there is no such model, or the folder is none.
 * @throws UnsupportedModelError if it cannot be pruned.
 */
export const loadVlm: LoadVlm = async (options, io) => {
  const { model: name, device, dtype } = options;
  const { source, isLocal } = await locate(name, io.cwd);
  const [library, { loadModel }, { PrunedVlm }] = await Promise.all([
    import('@huggingface/transformers'),
    import('./load-model.js'),
    import('./pruned-vlm.js'),
  ]);
  library.env.cacheDir = join(io.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mmtok', 'models');
  const status = createStatusLine(io.stderr);
  try {
    status.show(`Loading ${name} …`);
    const onProgress = isLocal ? undefined : downloadProgress(name, status);
    const loaded = await loadModel({ source, isLocal, device, dtype, onProgress });
    return new PrunedVlm(library, loaded, options);
  } finally {
    status.clear();
  }
};

/** The folder of a local model as an absolute path, or the hub id. */
async function locate(
  name: string,
  cwd: string,
): Promise<{ readonly source: string; readonly isLocal: boolean }> {
  if (name === TINY) return { source: (await import('@mmtok/tiny-vlm')).modelPath, isLocal: true };
  const path = resolve(cwd, name);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return { source: path, isLocal: true };
  if (/^[\w-][\w.-]*\/[\w.-]+$/.test(name)) return { source: name, isLocal: false };
  throw new UsageError(
    `Unknown model '${name}': expected ${TINY}, an existing folder, or a hub id such as HuggingFaceTB/SmolVLM2-256M-Video-Instruct.`,
  );
}
