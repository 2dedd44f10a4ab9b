// Loads the parts of a vision-language model that selection needs: processor, vision encoder, and token embeddings. The
// decoder, by far the largest file, is neither downloaded nor opened.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataType, DeviceType, PreTrainedModel, Processor } from '@huggingface/transformers';
import { messageOf } from '@mmtok/core/internal';
import { tapVisionEncoder } from '@mmtok/transformers';
import { ServeStartError } from '../errors.js';

/** transformers.js. */
export type Library = typeof import('@huggingface/transformers');

/** Loading options. */
export interface LoadEncoderOptions {
  /** Precision, for all files or by file. It should match the served checkpoint. @default 'fp32' on a CPU */
  readonly dtype?: DataType | Readonly<Record<string, DataType>> | undefined;
  readonly device?: DeviceType | Readonly<Record<string, DeviceType>> | undefined;
  /** Branch, tag, or commit of a hub repository. @default 'main' */
  readonly revision?: string | undefined;
  /** The folder for downloads. @default transformers.js's own */
  readonly cacheDir?: string | undefined;
  /** Never use the network. Folders are always loaded without it. @default false */
  readonly offline?: boolean | undefined;
}

/** What a loaded encoder runs on. */
export interface LoadedEncoder {
  readonly library: Library;
  readonly processor: Processor;
  readonly config: Readonly<Record<string, unknown>>;
  /** Sessions of ONNX Runtime by name: `vision_encoder`, `embed_tokens`. */
  readonly sessions: Readonly<Record<string, unknown>>;
  dispose(): Promise<void>;
}

/** An ONNX Runtime session, with the fields that transformers.js adds to it. */
interface OpenSession {
  readonly config?: { readonly dtype?: string };
  release(): Promise<void>;
}

const FILES = ['vision_encoder', 'embed_tokens'] as const;

/**
 * Loads the encoder of a model from a folder or from the Hugging Face hub.
 * @throws ServeStartError if there is no such model, or files of it are missing.
 */
export async function loadEncoder(source: string, options: LoadEncoderOptions = {}): Promise<LoadedEncoder> {
  const { dtype, device, revision, cacheDir, offline = false } = options;
  const library = await import('@huggingface/transformers');
  const isFolder = existsSync(source);
  const where = {
    local_files_only: isFolder || offline,
    ...(revision !== undefined && { revision }),
    ...(cacheDir !== undefined && { cache_dir: cacheDir }),
  };
  // Open sessions. The tap replaces one of them and releases the original.
  const model: { sessions: Record<string, OpenSession> } = { sessions: {} };
  const dispose = async (): Promise<void> => {
    await Promise.all(Object.values(model.sessions).map((session) => session.release()));
  };
  try {
    const config = await library.AutoConfig.from_pretrained(source, where);
    const [tokenizer, processor] = await Promise.all([
      library.AutoTokenizer.from_pretrained(source, where),
      library.AutoProcessor.from_pretrained(source, where),
    ]);
    if (processor.tokenizer === undefined)
      Object.defineProperty(processor, 'tokenizer', { value: tokenizer });
    for (const file of FILES) {
      // The base class opens one file: the one that is passed by name.
      const opened = await library.PreTrainedModel.from_pretrained(source, {
        ...where,
        config: Object.assign(Object.create(Object.getPrototypeOf(config)), config, { model_type: 'custom' }),
        model_file_name: file,
        ...(dtype !== undefined && { dtype }),
        ...(device !== undefined && { device }),
      });
      model.sessions[file] = (opened.sessions as unknown as { readonly model: OpenSession }).model;
    }
    await tap(model, isFolder ? source : join(cacheDir ?? library.env.cacheDir ?? '', source));
    return {
      library,
      processor,
      config: config as unknown as LoadedEncoder['config'],
      sessions: model.sessions,
      dispose,
    };
  } catch (cause) {
    await dispose();
    const kind = isFolder ? 'data' : 'environment';
    throw new ServeStartError(kind, `Cannot load an encoder from '${source}': ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Exposes the pre-projector features for vision coverage, if possible. */
async function tap(model: { readonly sessions: Record<string, OpenSession> }, folder: string): Promise<void> {
  const special: Readonly<Record<string, string>> = { fp32: '', q8: '_quantized' };
  const dtype = model.sessions.vision_encoder?.config?.dtype ?? 'fp32';
  const file = join(folder, 'onnx', `vision_encoder${special[dtype] ?? `_${dtype}`}.onnx`);
  if (!existsSync(file)) return;
  await tapVisionEncoder(model as unknown as PreTrainedModel, { file }).catch(() => undefined);
}
