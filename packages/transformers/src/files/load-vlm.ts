// Loads a vision-language model with its class, processor, and tokenizer, and taps its vision encoder.

import type {
  DataType,
  DeviceType,
  PreTrainedModel,
  PreTrainedTokenizer,
  PretrainedConfig,
  Processor,
  ProgressInfo,
} from '@huggingface/transformers';
import { MmtokError } from '@mmtok/core';
import { messageOf, parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { platform } from '#files';
import { ModelLoadError, UnsupportedModelError } from '../errors.js';
import type { PrunedFamily } from '../families/family.js';
import { familyOf, loaderOf } from '../families/index.js';
import type { Library, ModelLike } from '../internal/types.js';
import { untilAborted } from '../internal/until-aborted.js';
import type { LibraryEnv } from './model-files.js';
import { openOperationSessions } from './operation-sessions.js';
import { type LoadTap, tapLoadedModel } from './tap.js';

/** Options of {@link loadVlm}. */
export interface LoadVlmOptions {
  /**
   * Execution device, for all files or per file, e.g. `'cpu'`, `'cuda'`, `'webgpu'`.
   * @default transformers.js's own: `'cpu'` in Node, `'wasm'` in browsers
   */
  readonly device?: DeviceType | Readonly<Record<string, DeviceType>>;
  /**
   * Precision, for all files or per file, e.g. `{ vision_encoder: 'fp16', decoder_model_merged: 'q4' }`.
   * @default transformers.js's own: `'fp32'` on a CPU, `'q8'` in WebAssembly
   */
  readonly dtype?: DataType | Readonly<Record<string, DataType>>;
  /** Receives the progress of downloads. */
  readonly onProgress?: (progress: ProgressInfo) => void;
  /** Never use the network. Folders are always loaded without it. @default false */
  readonly offline?: boolean;
  /** Branch, tag, or commit of a hub repository. @default 'main' */
  readonly revision?: string;
  /** The folder for downloads. Not for browsers, which use their own cache. @default transformers.js's own */
  readonly cacheDir?: string;
  /**
   * Options for all sessions, as ONNX Runtime takes them.
   * @default in Node, `{ extra: { session: { force_spinning_stop: '1' } } }`: idle threads of one session do not slow down the
   * next. If you pass `extra`, it replaces this one. The `extra` of the first model that is loaded also applies to the sessions in
   * which transformers.js resizes and slices images.
   */
  readonly sessionOptions?: Readonly<Record<string, unknown>>;
  /** Cancels loading: it then rejects with the signal's reason and frees what was loaded. */
  readonly signal?: AbortSignal;
  /**
   * Expose the features before the projector: `true` finds them in the vision encoder's file, `{ tensor }` names them,
   * `{ patches: true }` also exposes the encoder's unmerged patches (`visionFeatures: 'patches'`), and `false` leaves the
   * file unchanged. If this fails, e.g. because of a wrong name, the model still loads, and `tap.problem` of the result
   * says why.
   * @default true
   */
  readonly tap?: boolean | { readonly tensor?: string; readonly patches?: boolean };
}

/** A loaded model with everything that belongs to it. */
export interface LoadedVlm {
  readonly model: PreTrainedModel;
  /** The processor; if the library has none for the family, its image processor with the tokenizer added. */
  readonly processor: Processor;
  readonly tokenizer: PreTrainedTokenizer;
  /** The copy of transformers.js that the model belongs to. */
  readonly library: Library;
  /** Hub id or folder, as passed. */
  readonly source: string;
  /** Name of the family, e.g. `'SmolVLM 2'`. */
  readonly family: string;
  /** `model_type` of the configuration. */
  readonly modelType: string;
  /** The tensor whose features are used for vision coverage, or why there is none. */
  readonly tap: LoadTap;
}

const text = z.string().min(1, 'expected a non-empty string');
const perFile = z.union(
  [text, z.record(z.string(), text)],
  'expected a string, or an object with a string per file',
);

/** The schema of each option of {@link loadVlm}, for functions that take the same options. */
export const loadOptionShape: { readonly [Option in keyof Required<LoadVlmOptions>]: z.ZodType } = {
  device: perFile.optional(),
  dtype: perFile.optional(),
  onProgress: z.custom<() => void>((value) => typeof value === 'function', 'expected a function').optional(),
  offline: z.boolean().optional(),
  revision: text.optional(),
  cacheDir: text.optional(),
  sessionOptions: z.record(z.string(), z.unknown()).optional(),
  signal: z
    .custom<AbortSignal>(
      (value) => typeof (value as AbortSignal | undefined)?.throwIfAborted === 'function',
      'expected an AbortSignal',
    )
    .optional(),
  tap: z
    .union([z.boolean(), z.strictObject({ tensor: text.optional(), patches: z.boolean().optional() })])
    .optional(),
};

const schema = z.strictObject(loadOptionShape);

/**
 * Loads a model from a local folder or from the Hugging Face hub. In a browser, loads from the hub or from a path on the
 * page's own server, with `env.allowLocalModels` of transformers.js set to `true`.
 * @param source a folder, or a hub id such as `'HuggingFaceTB/SmolVLM-256M-Instruct'`.
 * @throws ModelLoadError if there is no such model, or some of its files are missing.
 * @throws UnsupportedModelError for models that are not vision-language models or cannot be pruned.
 * @throws InvalidOptionsError for invalid options; the signal's reason if it is aborted.
 * @example
 * const { model, processor } = await loadVlm('HuggingFaceTB/SmolVLM-256M-Instruct', { dtype: 'q4' });
 */
export async function loadVlm(source: string, options: LoadVlmOptions = {}): Promise<LoadedVlm> {
  const id = parseOptions('source of loadVlm', text, source);
  parseOptions('options of loadVlm', schema, options);
  const { signal } = options;
  signal?.throwIfAborted();
  const folder = platform.modelFolder(id);
  const library = await import('@huggingface/transformers').catch((cause: unknown) => {
    throw new ModelLoadError(
      id,
      `@huggingface/transformers cannot be loaded (${messageOf(cause)}); run: npm install @huggingface/transformers`,
      { cause },
    );
  });
  return await untilAborted(load(library, id, folder, options), signal, ({ model }) => model.dispose());
}

async function load(
  library: Library,
  source: string,
  folder: string | undefined,
  { tap = true, signal, ...options }: LoadVlmOptions,
): Promise<LoadedVlm> {
  const sessionOptions = { ...platform.sessionOptions, ...options.sessionOptions };
  const from = folder ?? source;
  const offline = folder !== undefined || (options.offline ?? false);
  const where = {
    local_files_only: offline,
    ...(options.revision !== undefined && { revision: options.revision }),
    ...(options.cacheDir !== undefined && { cache_dir: options.cacheDir }),
    ...(options.onProgress && { progress_callback: options.onProgress }),
  };
  try {
    const config = await library.AutoConfig.from_pretrained(from, where);
    const modelType = String(config.model_type);
    const family = familyToLoad(modelType);
    const Model = modelClass(library, family, modelType, source);
    // Before the model, because its sessions would leak if one of these failed.
    const [tokenizer, processor] = await Promise.all([
      library.AutoTokenizer.from_pretrained(from, where),
      library.AutoProcessor.from_pretrained(from, where),
    ]);
    signal?.throwIfAborted();
    const model = await Model.from_pretrained(from, {
      ...where,
      config: asLoaded(config, family),
      ...(options.device !== undefined && { device: options.device }),
      ...(options.dtype !== undefined && { dtype: options.dtype }),
      session_options: sessionOptions,
    });
    if (family.loadedAs !== undefined)
      Object.defineProperty(model.config, 'model_type', { value: modelType, enumerable: true });
    const { extra } = sessionOptions as { readonly extra?: unknown };
    if (extra !== undefined) {
      const [session] = Object.values((model as unknown as ModelLike).sessions);
      await openOperationSessions(library, session, { extra });
    }
    const isTapped = tap !== false && family.tap === 'projector' && signal?.aborted !== true;
    const { env } = library as unknown as { readonly env: LibraryEnv };
    const place = { source: from, revision: options.revision, cacheDir: options.cacheDir, offline };
    return {
      model,
      processor: withTokenizer(processor, tokenizer),
      tokenizer,
      library,
      source,
      family: family.name,
      modelType,
      tap: isTapped
        ? await tapLoadedModel(model, env, place, { ...(typeof tap === 'object' && tap), sessionOptions })
        : {},
    };
  } catch (cause) {
    if (MmtokError.isInstance(cause) || (signal?.aborted === true && cause === signal.reason)) throw cause;
    throw new ModelLoadError(source, problemOf(cause), { cause });
  }
}

/** Explains an error from the library, with the remedy if the library's message hides it. */
function problemOf(cause: unknown): string {
  const problem = messageOf(cause);
  if (!problem.includes('chat_template.jinja')) return problem;
  return (
    "it lacks chat_template.jinja, which this family's processor reads; copy that file from the repository of the " +
    `original model, or write the chat_template of its tokenizer_config.json to a file of that name (${problem})`
  );
}

function familyToLoad(modelType: string): PrunedFamily {
  const family = familyOf(modelType);
  if (family === undefined)
    throw new UnsupportedModelError(
      modelType,
      'it is not a vision-language model that transformers.js supports',
    );
  if (family.status === 'unsupported') throw new UnsupportedModelError(modelType, family.reason);
  return family;
}

/** The configuration under the `model_type` by which transformers.js knows the file layout. */
function asLoaded(config: PretrainedConfig, { loadedAs }: PrunedFamily): PretrainedConfig {
  return loadedAs === undefined
    ? config
    : Object.assign(Object.create(Object.getPrototypeOf(config)), config, { model_type: loadedAs });
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

/** For some families the library has only an image processor; questions are then read with the tokenizer. */
function withTokenizer(processor: Processor, tokenizer: PreTrainedTokenizer): Processor {
  if (processor.tokenizer === undefined) Object.defineProperty(processor, 'tokenizer', { value: tokenizer });
  return processor;
}
