// Loads a small vision-language model and makes an agent of it: one load, many answers.

import type { Processor, RawImage } from '@huggingface/transformers';
import { DisposedError, InvalidOptionsError, MmtokError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import { createVlm, type LoadVlmOptions, loadVlm, type Vlm } from '@mmtok/transformers';
import { loadOptionShape, withoutPlaceholders } from '@mmtok/transformers/internal';
import * as z from 'zod';
import type { Agent } from './agent.js';
import { toAgentAnswer } from './agent-from.js';
import { type EnrichmentOptions, resolveEnrichmentOptions } from './enrichment/options.js';

/** The model that `createAgent` loads by default. */
export const DEFAULT_AGENT_MODEL = 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct';

/** Options of `createAgent`: those of `loadVlm`, and how the agent answers. */
export interface CreateAgentOptions extends Omit<LoadVlmOptions, 'tap'> {
  /**
   * A hub id, or a folder of a transformers.js model, which is loaded without network.
   * @default 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct'
   */
  readonly model?: string;
  /** Length of the answer at most. @default 24 */
  readonly maxNewTokens?: number;
  /**
   * The longer edge, in pixels, that images are brought to. Up to the model's tile the image is one tile and never
   * cut up: 64 vision tokens for SmolVLM2 at 512. Above, it is cut into tiles that cost as many each. Only for models
   * that work with tiles (SmolVLM, Idefics 3).
   * @default one tile
   */
  readonly imageSize?: number;
  /** How answers become words. */
  readonly enrichment?: EnrichmentOptions;
}

/** An agent with its own model. */
export interface VlmAgent extends Agent {
  /** Hub id or folder of the model. */
  readonly model: string;
  /** Frees the model once running calls have ended. Calling it twice is harmless. */
  dispose(): Promise<void>;
}

/** The prompt if there is no question. */
const NO_QUESTION = 'What is in the image?';

const atLeast1 = z.int('expected a whole number').positive('expected at least 1');
const { tap: _, ...loadShape } = loadOptionShape;
const schema = z.strictObject({
  ...loadShape,
  model: z.string().min(1, 'expected a text that is not empty').default(DEFAULT_AGENT_MODEL),
  maxNewTokens: atLeast1.default(24),
  imageSize: atLeast1.optional(),
  enrichment: z
    .custom<EnrichmentOptions>((value) => typeof value === 'object' && value !== null, 'expected an object')
    .default({}),
});

const imageSchema = z.custom<RawImage>(
  (value) => ArrayBuffer.isView((value as RawImage | undefined)?.data) && (value as RawImage).width > 0,
  'expected a RawImage of transformers.js, e.g. from RawImage.read(path)',
);

/**
 * Loads a small vision-language model through transformers.js as an agent: by default SmolVLM2-256M, the agent of
 * MMTok's first version (https://arxiv.org/abs/2508.18264v1). It has 256 M parameters, so about 1 GB in fp32 and a
 * quarter of that with `dtype: 'q8'`. Every model that `createVlm` of @mmtok/transformers takes can be one; for anything
 * else see {@link agentFrom}. It sees all its vision tokens, and answers greedily.
 *
 * With SmolVLM and Idefics 3 an image is one tile without splitting (512 px and 64 vision tokens for SmolVLM2).
 *
 * @throws InvalidOptionsError for options of the wrong form.
 * @throws ModelLoadError, UnsupportedModelError if the model cannot be loaded; the reason of `signal` if it is aborted.
 * @example
 * const agent = await createAgent({ dtype: 'q8' });
 * const { answer, added } = await agent(await RawImage.read('street.jpg'), 'What is the man holding?');
 * await agent.dispose();
 */
export async function createAgent(options: CreateAgentOptions = {}): Promise<VlmAgent> {
  const { model, maxNewTokens, imageSize, enrichment } = parseOptions(
    'options of createAgent',
    schema,
    options,
  );
  resolveEnrichmentOptions(enrichment);
  const { model: _, maxNewTokens: __, imageSize: ___, enrichment: ____, ...load } = options;
  const loaded = await loadVlm(model, { ...load, tap: false });
  let vlm: Vlm;
  try {
    setImageSize(loaded.processor, imageSize, loaded.modelType);
    vlm = await createVlm(loaded, { keep: false });
  } catch (error) {
    await loaded.model.dispose();
    throw error;
  }

  const agent: Agent = async (image, question, { signal } = {}) => {
    const picture = parseOptions('image of the agent', imageSchema, image);
    const asked = parseOptions('question of the agent', z.string(), question);
    // The prompt has one image, so a placeholder in the question would stand for none.
    const plain = withoutPlaceholders(vlm.library, vlm.processor, asked).trim();
    const started = performance.now();
    const { text, usage, report } = await vlm
      .ask({ image: picture, question: plain || NO_QUESTION, maxNewTokens, ...(signal && { signal }) })
      .catch((error: unknown) => {
        throw MmtokError.isInstance(error, 'MMTOK_DISPOSED') ? new DisposedError('The agent') : error;
      });
    const totalMs = performance.now() - started;
    const { encodeMs, prefillMs, decodeMs } = report.timings;
    const generateMs = encodeMs + prefillMs + decodeMs;
    const { promptTokens, visionTokens, newTokens } = usage;
    return toAgentAnswer(
      asked,
      text,
      enrichment,
      { prepareMs: totalMs - generateMs, generateMs, totalMs },
      { promptTokens, visionTokens, newTokens },
    );
  };
  let disposal: Promise<void> | undefined;
  return Object.assign(agent, {
    model,
    async dispose() {
      disposal ??= vlm.dispose().then(async () => {
        await loaded.model.dispose();
      });
      await disposal;
    },
  });
}

/** What image processors that cut images into tiles hold. */
interface TiledImageProcessor {
  size: { readonly longest_edge: number };
  do_image_splitting: boolean;
  readonly max_image_size?: { readonly longest_edge?: number };
}

/**
 * Sets the size of images on the agent's own processor.
 * @throws InvalidOptionsError if the model has no tiles and a size was asked for.
 */
function setImageSize(
  { image_processor }: Processor,
  imageSize: number | undefined,
  modelType: string,
): void {
  const images = image_processor as unknown as TiledImageProcessor | undefined;
  const tile = images?.max_image_size?.longest_edge;
  if (images === undefined || tile === undefined) {
    if (imageSize === undefined) return;
    throw new InvalidOptionsError('options of createAgent', [
      `imageSize: got ${imageSize}, but models of type ${modelType} do not work with tiles; leave it out`,
    ]);
  }
  // Also without splitting, the library would first enlarge every image to the size meant for many tiles.
  images.size = { longest_edge: imageSize ?? tile };
  images.do_image_splitting = (imageSize ?? tile) > tile;
}
