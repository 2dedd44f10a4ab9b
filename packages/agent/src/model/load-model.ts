// Loads the model of an agent and its processor with transformers.js, an optional peer. Asks it nothing.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PreTrainedModel, Processor } from '@huggingface/transformers';
import { MmtokError } from '@mmtok/core';
import { AgentLoadError } from '../errors/agent-load-error.js';
import { type AgentFamily, agentFamilies, agentFamilyOf } from './families.js';
import type { ResolvedAgentOptions } from './options.js';

/** transformers.js. */
export type Library = typeof import('@huggingface/transformers');

/** A loaded model with all that belongs to it. */
export interface AgentModel {
  readonly library: Library;
  readonly model: PreTrainedModel;
  readonly processor: Processor;
  readonly family: AgentFamily;
}

/**
 * Loads a model.
 * @throws AgentLoadError if there is no such model, it is of a family that no agent is known for, or transformers.js is
 * not installed; the signal's reason if it is aborted.
 */
export async function loadAgentModel(options: ResolvedAgentOptions): Promise<AgentModel> {
  const { model: source, signal, onProgress } = options;
  signal?.throwIfAborted();
  const library = await importLibrary(source);
  const folder = existsSync(resolve(source)) ? resolve(source) : undefined;
  const from = folder ?? source;
  const where = {
    local_files_only: folder !== undefined || (options.offline ?? false),
    ...(options.revision !== undefined && { revision: options.revision }),
    ...(options.cacheDir !== undefined && { cache_dir: options.cacheDir }),
    ...(onProgress && { progress_callback: onProgress }),
  };
  try {
    const config = await library.AutoConfig.from_pretrained(from, where);
    signal?.throwIfAborted();
    const modelType = String(config.model_type);
    const family = agentFamilyOf(modelType);
    if (family === undefined) {
      throw new AgentLoadError(
        source,
        `its model_type is '${modelType}', expected one of ${agentFamilies.join(', ')}; for any other model, wrap a function of your own with agentFrom()`,
      );
    }
    const processor = await library.AutoProcessor.from_pretrained(from, where);
    if (processor.chat_template == null && processor.tokenizer?.chat_template == null) {
      throw new AgentLoadError(source, 'it has no chat template; expected one in tokenizer_config.json');
    }
    const model = await library.AutoModelForImageTextToText.from_pretrained(from, {
      ...where,
      config,
      ...(options.device !== undefined && { device: options.device }),
      ...(options.dtype !== undefined && { dtype: options.dtype }),
      ...(options.sessionOptions && { session_options: options.sessionOptions }),
    });
    if (signal?.aborted === true) await model.dispose();
    signal?.throwIfAborted();
    return { library, model, processor, family };
  } catch (cause) {
    if (MmtokError.isInstance(cause) || (signal?.aborted === true && cause === signal.reason)) throw cause;
    throw new AgentLoadError(source, messageOf(cause), { cause });
  }
}

async function importLibrary(source: string): Promise<Library> {
  try {
    return await import('@huggingface/transformers');
  } catch (cause) {
    throw new AgentLoadError(
      source,
      `@huggingface/transformers cannot be loaded (${messageOf(cause)}); install it: npm install @huggingface/transformers`,
      { cause },
    );
  }
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
}
