// Loads models by the names that the command line knows: to ask, to evaluate, to verify, or as an agent.

import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ProgressCallback } from '@huggingface/transformers';
import type { CreateAgentOptions, VlmAgent } from '@mmtok/agent';
import { MmtokError } from '@mmtok/core';
import type { LoadedVlm, LoadVlmOptions } from '@mmtok/transformers';
import type { VerifyProgress, VerifyReport } from '@mmtok/transformers/verify';
import { HubUnreachableError, UsageError } from '../errors.js';
import { EMBEDDED_NAMES, embeddedSize } from '../options.js';
import { createStatusLine, type Io, type StatusLine } from '../terminal/io.js';
import { formatBytes } from '../terminal/text.js';
import type { EvalVlmModel } from './eval-model.js';
import type { Vlm, VlmOptions } from './vlm.js';

/** Loads models. */
export type LoadVlm = (options: VlmOptions, io: Io) => Promise<Vlm>;

/**
 * Loads a model and attaches pruning. Downloads go to `mmtok/models` in the user's cache folder.
 * @throws UsageError for a name that is neither an embedded model, nor a hub id, nor a folder.
 * @throws ModelLoadError if the model does not exist, or the folder contains none.
 * @throws HubUnreachableError if it must be downloaded but the hub cannot be reached.
 * @throws UnsupportedModelError if it cannot be pruned.
 */
export const loadVlm: LoadVlm = async (options, io) => {
  const [loaded, { prunedVlm }] = await Promise.all([loadLibraryModel(options, io), import('./vlm.js')]);
  return await prunedVlm(loaded, options);
};

/** Loads a model as {@link loadVlm} does, without pruning. */
export async function loadLibraryModel(
  { model: name, device, dtype }: Pick<VlmOptions, 'model' | 'device' | 'dtype'>,
  io: Io,
): Promise<LoadedVlm> {
  const source = await locate(name, io.cwd);
  const transformers = await import('@mmtok/transformers');
  // The library checks the device; the precision was checked when it was parsed.
  return await loading(name, io, (more) =>
    transformers.loadVlm(source, { device, dtype, ...more } as LoadVlmOptions),
  );
}

/**
 * Shows the progress of loading a model.
 * @throws HubUnreachableError if it must be downloaded but the hub cannot be reached.
 */
async function loading<T>(
  name: string,
  io: Io,
  load: (more: { readonly onProgress: ProgressCallback; readonly cacheDir: string }) => Promise<T>,
): Promise<T> {
  const status = createStatusLine(io.stderr);
  status.show(`Loading ${name} …`);
  try {
    return await load({ onProgress: downloadProgress(name, status), cacheDir: modelCache(io) });
  } catch (error) {
    throw isUnreachable(error) ? new HubUnreachableError(name, { cause: error }) : error;
  } finally {
    status.clear();
  }
}

/**
 * The folder of a local model as an absolute path, or the hub id.
 * @throws UsageError for a name that is neither an embedded model's nor a hub id nor a folder.
 */
export async function locate(name: string, cwd: string): Promise<string> {
  const size = embeddedSize(name);
  if (size !== undefined) {
    const { modelPath, smallModelPath, tiledModelPath } = await import('@mmtok/tiny-vlm');
    return { base: modelPath, small: smallModelPath, tiled: tiledModelPath }[size];
  }
  const path = resolve(cwd, name);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return path;
  if (/^[\w-][\w.-]*\/[\w.-]+$/.test(name)) return name;
  throw new UsageError(
    `Unknown model '${name}': expected ${EMBEDDED_NAMES}, an existing folder, or a hub id such as HuggingFaceTB/SmolVLM2-256M-Video-Instruct.`,
  );
}

/** The folder for downloads. */
function modelCache({ env }: Io): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mmtok', 'models');
}

/** Whether loading failed because the network was unreachable, judging by the message of Node's fetch. */
function isUnreachable(error: unknown): boolean {
  if (!MmtokError.isInstance(error)) return false;
  return error.cause instanceof Error && error.cause.message === 'fetch failed';
}

/** Loads models for evaluations; throws what `loadVlm` throws. */
export type LoadEvalModel = (options: Omit<VlmOptions, 'backend'>, io: Io) => Promise<EvalVlmModel>;

/** Loads a transformers.js model. */
export const loadEvalModel: LoadEvalModel = async (options, io) => {
  const [loaded, { EvalVlm }] = await Promise.all([loadLibraryModel(options, io), import('./eval-model.js')]);
  return new EvalVlm(loaded, options);
};

/** Loads agents. */
export type LoadAgent = (
  options: Pick<VlmOptions, 'model' | 'device' | 'dtype'>,
  io: Io,
) => Promise<VlmAgent>;

/**
 * Loads an agent. Downloads go to the same folder as those of models.
 * @throws UsageError for a name that is neither an embedded model, nor a hub id, nor a folder.
 * @throws AgentLoadError if the model does not exist or cannot be an agent.
 * @throws HubUnreachableError if it must be downloaded, but cannot.
 */
export const loadAgent: LoadAgent = async ({ model: name, device, dtype }, io) => {
  const model = await locate(name, io.cwd);
  const { createAgent } = await import('@mmtok/agent');
  return await loading(name, io, (more) =>
    createAgent({ model, device, dtype, ...more } as CreateAgentOptions),
  );
};

/** What to verify. */
export interface VerifyRequest extends Pick<VlmOptions, 'model' | 'device' | 'dtype' | 'promptTemplate'> {
  /** The share of vision tokens to keep. */
  readonly ratio?: number | undefined;
  /** Length of the answers, in tokens. */
  readonly newTokens?: number | undefined;
  /** Timed calls per row. */
  readonly repeats?: number | undefined;
}

/** Verifies models. */
export type VerifyModel = (
  request: VerifyRequest,
  io: Io,
  onProgress: (progress: VerifyProgress) => void,
) => Promise<VerifyReport>;

/**
 * Verifies a model.
 * @throws everything that loading throws; InvalidOptionsError for numbers out of range.
 */
export const verifyModel: VerifyModel = async (request, io, onProgress) => {
  const { promptTemplate, ratio, newTokens, repeats } = request;
  const [loaded, { verifyVlm }] = await Promise.all([
    loadLibraryModel(request, io),
    import('@mmtok/transformers/verify'),
  ]);
  try {
    return await verifyVlm(loaded, {
      ...(promptTemplate !== undefined && { template: promptTemplate }),
      ...(ratio !== undefined && { ratio }),
      ...(newTokens !== undefined && { newTokens }),
      ...(repeats !== undefined && { repeats }),
      onProgress,
    });
  } finally {
    await loaded.model.dispose();
  }
};

const BAR_WIDTH = 24;

/** A callback for `from_pretrained` that shows all files of a model as one progress bar. */
export function downloadProgress(model: string, status: StatusLine): ProgressCallback {
  const files = new Map<string, { readonly loaded: number; readonly total: number }>();
  return (info) => {
    if (info.status !== 'progress' || !(info.total > 0)) return;
    files.set(info.file, { loaded: info.loaded, total: info.total });
    let loaded = 0;
    let total = 0;
    for (const file of files.values()) {
      loaded += file.loaded;
      total += file.total;
    }
    const done = Math.round((loaded / total) * BAR_WIDTH);
    const bar = '█'.repeat(done) + '░'.repeat(BAR_WIDTH - done);
    status.show(`Loading ${model}  ${bar}  ${formatBytes(loaded)} of ${formatBytes(total)}`);
  };
}
