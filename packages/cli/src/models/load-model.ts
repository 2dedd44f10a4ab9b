// Loads a model and its processor with transformers.js.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { PreTrainedModel, Processor, ProgressCallback } from '@huggingface/transformers';
import { ModelLoadError } from '@mmtok/transformers';
import { HubUnreachableError } from '../errors/hub-unreachable-error.js';

/** A loaded model of transformers.js. */
export interface LoadedModel {
  readonly model: PreTrainedModel;
  readonly processor: Processor;
}

/** Where a model is, and how to load it. */
export interface LoadModelOptions {
  /** A hub id, or the absolute path of a folder. */
  readonly source: string;
  readonly isLocal: boolean;
  readonly device: string | undefined;
  readonly dtype: string | Readonly<Record<string, string>> | undefined;
  readonly onProgress: ProgressCallback | undefined;
}

/** @throws ModelLoadError if the folder or hub id is not a vision-language model that transformers.js can run. */
export async function loadModel(options: LoadModelOptions): Promise<LoadedModel> {
  const { source, isLocal, device, dtype, onProgress } = options;
  if (isLocal) await assertModelFolder(source);
  const { AutoModelForImageTextToText, AutoProcessor } = await import('@huggingface/transformers');
  const from = { local_files_only: isLocal, ...(onProgress && { progress_callback: onProgress }) };
  const how = {
    ...(device !== undefined && { device }),
    ...(dtype !== undefined && { dtype }),
  } as Parameters<typeof AutoModelForImageTextToText.from_pretrained>[1];
  try {
    const processor = await AutoProcessor.from_pretrained(source, from);
    const model = await AutoModelForImageTextToText.from_pretrained(source, { ...from, ...how });
    return { model, processor };
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    if (problem === 'fetch failed') throw new HubUnreachableError(source, { cause });
    throw new ModelLoadError(source, problem.replace(/\.$/, ''), { cause });
  }
}

/** What transformers.js would say about a folder of something else does not tell what is missing. */
async function assertModelFolder(folder: string): Promise<void> {
  for (const file of ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'onnx']) {
    await access(join(folder, file)).catch(() => {
      throw new ModelLoadError(
        folder,
        `it has no ${file}; expected a folder in the layout of transformers.js, with config.json, tokenizer.json, preprocessor_config.json and onnx/*.onnx`,
      );
    });
  }
}
