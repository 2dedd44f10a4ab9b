// Loads a vision-language model with the class, processor and tokenizer that belong to it, its vision encoder tapped.

import type {
  DataType,
  DeviceType,
  PreTrainedModel,
  PreTrainedTokenizer,
  Processor,
  ProgressInfo,
} from '@huggingface/transformers';
import { MmtokError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { ModelLoadError } from '../errors/model-load-error.js';
import { UnsupportedModelError } from '../errors/unsupported-model-error.js';
import type { PrunedFamily } from '../models/family.js';
import { familyOf, loaderOf } from '../models/registry.js';
import { type LoadTap, whileTapping } from '../tap/tap-vision-encoder.js';
import { modelFolder } from './model-folder.js';

/** Options of {@link loadVlm}. */
export interface LoadVlmOptions {
  /** Execution device, for all files or by file, e.g. `'cpu'`, `'cuda'`, `'webgpu'`. @default 'cpu' in Node */
  readonly device?: DeviceType | Readonly<Record<string, DeviceType>>;
  /** Precision, for all files or by file, e.g. `{ vision_encoder: 'fp16', decoder_model_merged: 'q4' }`. @default 'fp32' on a CPU */
  readonly dtype?: DataType | Readonly<Record<string, DataType>>;
  /** Receives the progress of downloads. */
  readonly onProgress?: (progress: ProgressInfo) => void;
  /** Never go to the network. Folders are loaded without it anyway. @default false */
  readonly offline?: boolean;
  /** Branch, tag or commit of a hub repository. @default 'main' */
  readonly revision?: string;
  /** Where downloads are kept. @default transformers.js' own */
  readonly cacheDir?: string;
  /** Options for all sessions, as ONNX Runtime takes them. */
  readonly sessionOptions?: Readonly<Record<string, unknown>>;
  /**
   * Expose the features from before the projector: `true` looks for them in the vision encoder's file, `{ tensor }`
   * names them, `false` leaves the file alone. Where that fails, a wrong name included, the model loads all the same, and
   * `tap.problem` of the result says why.
   * @default true
   */
  readonly tap?: boolean | { readonly tensor: string };
}

/** A loaded model with all that belongs to it. */
export interface LoadedVlm {
  readonly model: PreTrainedModel;
  /** The processor; where the library has none for the family, its image processor with the tokenizer added. */
  readonly processor: Processor;
  readonly tokenizer: PreTrainedTokenizer;
  /** Name of the family, e.g. `'SmolVLM 2'`. */
  readonly family: string;
  /** `model_type` of the configuration. */
  readonly modelType: string;
  /** The tensor whose features feed vision coverage, or why there is none. */
  readonly tap: LoadTap;
}

const text = z.string().min(1);
const perFile = z.union([text, z.record(z.string(), text)]);
const schema = z.strictObject({
  device: perFile.optional(),
  dtype: perFile.optional(),
  onProgress: z.custom<() => void>((value) => typeof value === 'function', 'expected a function').optional(),
  offline: z.boolean().optional(),
  revision: text.optional(),
  cacheDir: text.optional(),
  sessionOptions: z.record(z.string(), z.unknown()).optional(),
  tap: z.union([z.boolean(), z.strictObject({ tensor: text })]).optional(),
});

/**
 * Loads a model from a local folder or from the Hugging Face hub.
 * @param source a folder, or a hub id such as `'HuggingFaceTB/SmolVLM-256M-Instruct'`.
 * @throws ModelLoadError if there is no such model, or files of it are missing.
 * @throws UnsupportedModelError for models that are no vision-language models or cannot be pruned.
 * @throws InvalidOptionsError for wrong options.
 * @example
 * const { model, processor } = await loadVlm('HuggingFaceTB/SmolVLM-256M-Instruct', { dtype: 'q4' });
 */
export async function loadVlm(source: string, options: LoadVlmOptions = {}): Promise<LoadedVlm> {
  const id = parseOptions('source of loadVlm', text, source);
  const { tap = true } = parseOptions('options of loadVlm', schema, options);
  const folder = modelFolder(id);
  const from = folder ?? id;
  const library = await import('@huggingface/transformers').catch((cause: unknown) => {
    throw new ModelLoadError(
      id,
      '@huggingface/transformers is not installed; run: npm install @huggingface/transformers',
      { cause },
    );
  });
  const where = {
    local_files_only: folder !== undefined || (options.offline ?? false),
    ...(options.revision !== undefined && { revision: options.revision }),
    ...(options.cacheDir !== undefined && { cache_dir: options.cacheDir }),
    ...(options.onProgress && { progress_callback: options.onProgress }),
  };
  try {
    const config = await library.AutoConfig.from_pretrained(from, where);
    const modelType = String(config.model_type);
    const family = familyToLoad(modelType);
    const Model = modelClass(library, family, modelType, id);
    const load = (): Promise<PreTrainedModel> =>
      Model.from_pretrained(from, {
        ...where,
        config,
        ...(options.device !== undefined && { device: options.device }),
        ...(options.dtype !== undefined && { dtype: options.dtype }),
        ...(options.sessionOptions && { session_options: options.sessionOptions }),
      });
    const tensor = typeof tap === 'object' ? tap.tensor : undefined;
    const wantsTap = tap !== false && family.tap === 'projector';
    // Before the model, whose sessions would be left over if one of these failed.
    const [tokenizer, processor] = await Promise.all([
      library.AutoTokenizer.from_pretrained(from, where),
      library.AutoProcessor.from_pretrained(from, where),
    ]);
    const { loaded: model, tap: made } = wantsTap
      ? await whileTapping(from, tensor, load)
      : { loaded: await load(), tap: {} };
    return {
      model,
      processor: withTokenizer(processor, tokenizer),
      tokenizer,
      family: family.name,
      modelType,
      tap: made,
    };
  } catch (cause) {
    if (MmtokError.isInstance(cause)) throw cause;
    const problem = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
    throw new ModelLoadError(id, problem, { cause });
  }
}

function familyToLoad(modelType: string): PrunedFamily {
  const family = familyOf(modelType);
  if (family === undefined)
    throw new UnsupportedModelError(
      modelType,
      'it is no vision-language model that transformers.js is known to run',
    );
  if (family.status === 'refused') throw new UnsupportedModelError(modelType, family.reason);
  return family;
}

interface ModelClass {
  from_pretrained(source: string, options: Readonly<Record<string, unknown>>): Promise<PreTrainedModel>;
}

function modelClass(library: object, family: PrunedFamily, modelType: string, source: string): ModelClass {
  const name = loaderOf(family, modelType);
  const Model = (library as Readonly<Record<string, unknown>>)[name];
  if (Model === undefined) {
    throw new ModelLoadError(source, `the installed @huggingface/transformers has no ${name}; update it`);
  }
  return Model as ModelClass;
}

/** For some families the library has an image processor only; questions are read with the tokenizer. */
function withTokenizer(processor: Processor, tokenizer: PreTrainedTokenizer): Processor {
  if (processor.tokenizer === undefined) Object.defineProperty(processor, 'tokenizer', { value: tokenizer });
  return processor;
}
