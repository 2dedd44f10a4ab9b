// Loads a small vision-language model as an agent.

import type { Processor, RawImage } from '@huggingface/transformers';
import { DisposedError, InvalidOptionsError, MmtokError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import { createVlm, type LoadVlmOptions, loadVlm, type Vlm } from '@mmtok/transformers';
import { loadOptionShape, withoutPlaceholders } from '@mmtok/transformers/internal';
import * as z from 'zod';
import { type Agent, toAgentAnswer } from './agent.js';
import { type EnrichmentOptions, resolveEnrichmentOptions } from './enrichment/options.js';

/** The model that `createAgent` loads by default. */
export const DEFAULT_AGENT_MODEL = 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct';

/** Options of `createAgent`: those of `loadVlm`, and how the agent answers. */
export interface CreateAgentOptions extends Omit<LoadVlmOptions, 'tap'> {
  /**
   * A hub id, or the folder of a transformers.js model, which is loaded without network access.
   * @default 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct'
   */
  readonly model?: string;
  /** Maximum answer length in tokens. @default 24 */
  readonly maxNewTokens?: number;
  /**
   * Images are resized to this longer edge, in pixels. Up to the size of the model's tile, the image is a single tile
   * (64 vision tokens for SmolVLM2 at 512); above, it is split into tiles that cost as many tokens each. Only for models
   * with tiles (SmolVLM, Idefics 3).
   * @default one tile
   */
  readonly imageSize?: number;
  /** Which words of an answer are added. */
  readonly enrichment?: EnrichmentOptions;
}

/** An agent that owns its model. */
export interface VlmAgent extends Agent {
  /** Hub id or folder of the model. */
  readonly model: string;
  /** Frees the model after running calls have ended. Safe to call twice. */
  dispose(): Promise<void>;
}

/** The question when there is none. */
const NO_QUESTION = 'What is in the image?';

const atLeast1 = z.int('expected a whole number').positive('expected at least 1');
const { tap: _, ...loadShape } = loadOptionShape;
const schema = z.strictObject({
  ...loadShape,
  model: z.string().min(1, 'expected a non-empty string').default(DEFAULT_AGENT_MODEL),
  maxNewTokens: atLeast1.default(24),
  imageSize: atLeast1.optional(),
  enrichment: z
    .custom<EnrichmentOptions>((value) => typeof value === 'object' && value !== null, 'expected an object')
    .default({}),
});

const imageSchema = z.custom<RawImage>(
  (value) => ArrayBuffer.isView((value as RawImage | undefined)?.data) && (value as RawImage).width > 0,
  'expected a transformers.js RawImage, e.g. from RawImage.read(path)',
);

/**
 * Loads a small vision-language model through transformers.js as an agent: by default SmolVLM2-256M, the agent of
 * MMTok's first version (https://arxiv.org/abs/2508.18264v1). It has 256 M parameters, about 1 GB in fp32 and a
 * quarter of that with `dtype: 'q8'`. Every model that `createVlm` of @mmtok/transformers supports can be an agent; for
 * anything else see {@link agentFrom}. The agent keeps all its vision tokens and decodes greedily.
 *
 * With SmolVLM and Idefics 3 an image is a single tile (512 px and 64 vision tokens for SmolVLM2).
 *
 * @throws InvalidOptionsError for options of the wrong form.
 * @throws ModelLoadError, UnsupportedModelError if the model cannot be loaded; the signal's reason if it is aborted.
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
    const checked = parseOptions('image of the agent', imageSchema, image);
    const asked = parseOptions('question of the agent', z.string(), question);
    // The prompt has one image, so a placeholder in the question would match no image.
    const plain = withoutPlaceholders(vlm.library, vlm.processor, asked).trim();
    const started = performance.now();
    const { text, usage, report } = await vlm
      .ask({ image: checked, question: plain || NO_QUESTION, maxNewTokens, ...(signal && { signal }) })
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

/** The members of image processors that split images into tiles. */
interface TiledImageProcessor {
  size: { readonly longest_edge: number };
  do_image_splitting: boolean;
  readonly max_image_size?: { readonly longest_edge?: number };
}

/**
 * Sets the image size on the agent's processor.
 * @throws InvalidOptionsError if a size is given for a model without tiles.
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
      `imageSize: got ${imageSize}, but models of type ${modelType} have no tiles; omit it`,
    ]);
  }
  // Even without splitting, the library would first enlarge every image to the size for many tiles.
  images.size = { longest_edge: imageSize ?? tile };
  images.do_image_splitting = (imageSize ?? tile) > tile;
}
