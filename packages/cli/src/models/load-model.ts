// Loads a model and its processor with transformers.js.

import type { PreTrainedModel, Processor, ProgressCallback } from '@huggingface/transformers';
import { ModelLoadError } from '@mmtok/transformers';

/** A loaded model of transformers.js. */
export interface LoadedModel {
  readonly model: PreTrainedModel;
  readonly processor: Processor;
}

/** How to load it. */
export interface LoadModelOptions {
  readonly device: string | undefined;
  readonly dtype: string | Readonly<Record<string, string>> | undefined;
  readonly onProgress: ProgressCallback;
}

/** @throws ModelLoadError if the folder or hub id is not a vision-language model. */
export async function loadModel(source: string, options: LoadModelOptions): Promise<LoadedModel> {
  const { AutoModelForImageTextToText, AutoProcessor } = await import('@huggingface/transformers');
  const { device, dtype, onProgress } = options;
  const settings = {
    progress_callback: onProgress,
    ...(device !== undefined && { device }),
    ...(dtype !== undefined && { dtype }),
  } as Parameters<typeof AutoModelForImageTextToText.from_pretrained>[1];
  try {
    const processor = await AutoProcessor.from_pretrained(source, { progress_callback: onProgress });
    const model = await AutoModelForImageTextToText.from_pretrained(source, settings);
    return { model, processor };
  } catch (cause) {
    throw new ModelLoadError(source, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
