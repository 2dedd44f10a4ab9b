// The options of createAgent and the schema that checks them.

import type { DataType, DeviceType, ProgressInfo } from '@huggingface/transformers';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { type EnrichmentOptions, resolveEnrichmentOptions } from '../enrichment/options.js';

/** The model that `createAgent` loads by default. */
export const DEFAULT_AGENT_MODEL = 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct';

/** Options of `createAgent`. */
export interface CreateAgentOptions {
  /**
   * A hub id, or a folder of a transformers.js model, which is loaded without network.
   * @default 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct'
   */
  readonly model?: string;
  /** Execution device, for all files or by file. @default 'cpu' in Node */
  readonly device?: DeviceType | Readonly<Record<string, DeviceType>>;
  /** Precision, for all files or by file. @default 'fp32' on a CPU */
  readonly dtype?: DataType | Readonly<Record<string, DataType>>;
  /** Length of the answer at most. @default 24 */
  readonly maxNewTokens?: number;
  /**
   * The longer edge, in pixels, that pictures are brought to. Up to the model's tile the picture is one tile and never
   * cut up: 64 vision tokens for SmolVLM2 at 512. Above, it is cut into tiles that cost as many each. Only for models
   * that work with tiles (SmolVLM, Idefics 3).
   * @default one tile
   */
  readonly imageSize?: number;
  /** How answers become words. */
  readonly enrichment?: EnrichmentOptions;
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
  /** Ends loading early: `createAgent` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The options, complete. */
export interface ResolvedAgentOptions extends CreateAgentOptions {
  readonly model: string;
  readonly maxNewTokens: number;
  readonly enrichment: EnrichmentOptions;
}

const text = z.string().min(1, 'expected a text that is not empty');
const perFile = z.union([text, z.record(z.string(), text)], 'expected a name, or names by file');
const atLeast1 = z.int('expected a whole number').positive('expected at least 1');

const schema = z.strictObject({
  model: text.default(DEFAULT_AGENT_MODEL),
  device: perFile.optional(),
  dtype: perFile.optional(),
  maxNewTokens: atLeast1.default(24),
  imageSize: atLeast1.optional(),
  enrichment: z
    .custom<EnrichmentOptions>((value) => typeof value === 'object' && value !== null, 'expected an object')
    .default({}),
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
});

/**
 * Checks the options and fills in the defaults.
 * @throws InvalidOptionsError
 */
export function resolveAgentOptions(options: CreateAgentOptions): ResolvedAgentOptions {
  const parsed = parseOptions('options of createAgent', schema, options) as ResolvedAgentOptions;
  resolveEnrichmentOptions(parsed.enrichment);
  return parsed;
}
