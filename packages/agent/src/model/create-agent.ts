// Loads a small vision-language model and makes an agent of it: one load, many answers.

import type { RawImage, Tensor } from '@huggingface/transformers';
import { DisposedError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { Agent, AgentAnswer, AgentCall } from '../agent.js';
import { toAgentAnswer } from '../agent-from.js';
import type { AgentInputs } from './families.js';
import { type AgentModel, loadAgentModel } from './load-model.js';
import { type CreateAgentOptions, type ResolvedAgentOptions, resolveAgentOptions } from './options.js';
import { agentPrompt } from './prompt.js';

/** An agent with a model of its own. */
export interface VlmAgent extends Agent {
  /** Hub id or folder of the model. */
  readonly model: string;
  /** Frees the model once running calls have ended. Calling it twice is harmless. */
  dispose(): Promise<void>;
}

const imageSchema = z.custom<RawImage>(
  (value) => ArrayBuffer.isView((value as RawImage | undefined)?.data) && (value as RawImage).width > 0,
  'expected a RawImage of transformers.js, e.g. from RawImage.read(path)',
);

/**
 * Loads a small vision-language model through transformers.js as an agent: by default SmolVLM2-256M, the agent of
 * MMTok's first version (https://arxiv.org/abs/2508.18264v1). It has 256 M parameters, so about 1 GB in fp32 and a
 * quarter of that with `dtype: 'q8'`. SmolVLM, Idefics 3 and LLaVA models can be agents; for anything else see
 * {@link agentFrom}.
 *
 * A picture is one tile without splitting (512 px and 64 vision tokens for SmolVLM2); the answer is greedy.
 *
 * @throws InvalidOptionsError for options of the wrong form.
 * @throws AgentLoadError if the model cannot be loaded; the reason of `signal` if it is aborted.
 * @example
 * const agent = await createAgent({ dtype: 'q8' });
 * const { answer, added } = await agent(await RawImage.read('street.jpg'), 'What is the man holding?');
 * await agent.dispose();
 */
export async function createAgent(options: CreateAgentOptions = {}): Promise<VlmAgent> {
  const settings = resolveAgentOptions(options);
  const loaded = await loadAgentModel(settings);
  try {
    loaded.family.setImageSize(loaded.processor, settings.imageSize);
  } catch (error) {
    await loaded.model.dispose();
    throw error;
  }

  const running = new Set<Promise<AgentAnswer>>();
  let disposal: Promise<void> | undefined;
  const agent: Agent = async (image, question, call = {}) => {
    if (disposal !== undefined) throw new DisposedError('The agent');
    const answer = answerWith(loaded, settings, image, question, call);
    running.add(answer);
    try {
      return await answer;
    } finally {
      running.delete(answer);
    }
  };
  return Object.assign(agent, {
    model: settings.model,
    async dispose() {
      disposal ??= Promise.allSettled(running).then(async () => {
        await loaded.model.dispose();
      });
      await disposal;
    },
  });
}

async function answerWith(
  { library, model, processor, family }: AgentModel,
  { maxNewTokens, enrichment }: ResolvedAgentOptions,
  image: RawImage,
  question: string,
  { signal }: AgentCall,
): Promise<AgentAnswer> {
  const picture = parseOptions('image of the agent', imageSchema, image);
  const asked = parseOptions('question of the agent', z.string(), question);
  signal?.throwIfAborted();
  const started = performance.now();
  const inputs = await family.process(processor, agentPrompt(processor, asked), picture);
  signal?.throwIfAborted();
  const prepared = performance.now();

  const stop = new library.InterruptableStoppingCriteria();
  const interrupt = (): void => stop.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  let sequences: Tensor;
  try {
    sequences = (await model.generate({
      ...inputs,
      max_new_tokens: maxNewTokens,
      do_sample: false,
      stopping_criteria: stop,
    } as Parameters<typeof model.generate>[0])) as Tensor;
  } finally {
    signal?.removeEventListener('abort', interrupt);
  }
  signal?.throwIfAborted();

  const promptTokens = inputs.input_ids.dims.at(-1) ?? 0;
  const length = sequences.dims.at(-1) ?? 0;
  const [answer = ''] = processor.batch_decode(sequences.slice(null, [promptTokens, length]), {
    skip_special_tokens: true,
  });
  const ended = performance.now();
  return toAgentAnswer(
    asked,
    answer,
    enrichment,
    { prepareMs: prepared - started, generateMs: ended - prepared, totalMs: ended - started },
    { promptTokens, visionTokens: visionTokensOf(model.config, inputs), newTokens: length - promptTokens },
  );
}

function visionTokensOf(config: object, { input_ids }: AgentInputs): number {
  const { image_token_id, image_token_index } = config as Readonly<Record<string, number | undefined>>;
  const id = BigInt(image_token_id ?? image_token_index ?? -1);
  return (input_ids.data as BigInt64Array).reduce((count, one) => (one === id ? count + 1 : count), 0);
}
