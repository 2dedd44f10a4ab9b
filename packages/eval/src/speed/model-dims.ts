// The dimensions of language models, and of the vision tokens that they read: all that decides how fast they are. No
// weights, no graph.

import { InvalidOptionsError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';

/** A decoder of the Llama and Qwen 2 family, and the pictures that come before its text. */
export interface ModelDims {
  /** For people, e.g. `'LLaVA-1.5-7B'`. */
  readonly title: string;
  /** Width of the embeddings, D. */
  readonly hidden: number;
  readonly layers: number;
  /** Attention heads, and how many of them have keys and values of their own. */
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  /** Width between the two halves of the gated feed-forward part. */
  readonly intermediate: number;
  readonly vocabulary: number;
  /** Whether queries, keys and values have a bias, as in Qwen 2. */
  readonly attentionBias: boolean;
  /** Vision tokens of one prompt. */
  readonly visionTokens: number;
  /** Width of the features before the projector, d. */
  readonly visionWidth: number;
  /** Budgets to measure where none are asked for, as text. */
  readonly keep: readonly string[];
}

const size = z.int('expected a whole number').positive('expected at least 1');

const schema = z
  .strictObject({
    title: z.string().min(1),
    hidden: size,
    layers: size,
    heads: size,
    keyValueHeads: size,
    headDim: size.multipleOf(8, 'expected a multiple of 8'),
    intermediate: size,
    vocabulary: size,
    attentionBias: z.boolean(),
    visionTokens: size,
    visionWidth: size,
    keep: z.array(z.string()).min(1, 'expected a budget such as "64" or "10%"'),
  })
  .refine(
    ({ heads, keyValueHeads }) => heads % keyValueHeads === 0,
    'expected heads to be a multiple of keyValueHeads',
  );

const vicuna7b = {
  hidden: 4096,
  layers: 32,
  heads: 32,
  keyValueHeads: 32,
  headDim: 128,
  intermediate: 11008,
  vocabulary: 32064,
  attentionBias: false,
} as const;

const vicuna13b = {
  ...vicuna7b,
  hidden: 5120,
  layers: 40,
  heads: 40,
  keyValueHeads: 40,
  intermediate: 13824,
} as const;

/** CLIP ViT-L/14 at 336 px, one view, and at most five of them; budgets as in the paper. */
const llava = { visionTokens: 576, visionWidth: 1024, keep: ['192', '128', '64'] } as const;
const llavaNext = { visionTokens: 2880, visionWidth: 1024, keep: ['640', '320', '160'] } as const;
const shares = { keep: ['20%', '10%', '5%'] } as const;

/** Dimensions by name, as the `config.json` of each model has them. */
export const modelDims: Readonly<Record<string, ModelDims>> = {
  'llava-1.5-7b': { title: 'LLaVA-1.5-7B', ...vicuna7b, ...llava },
  'llava-1.5-13b': { title: 'LLaVA-1.5-13B', ...vicuna13b, ...llava },
  'llava-next-7b': { title: 'LLaVA-NeXT-7B (Vicuna)', ...vicuna7b, ...llavaNext },
  'llava-next-13b': { title: 'LLaVA-NeXT-13B (Vicuna)', ...vicuna13b, ...llavaNext },
  // 2,048 tokens: the largest picture of the paper's setting. Four patches of 1,280 make a token.
  'qwen2.5-vl-3b': {
    title: 'Qwen2.5-VL-3B',
    hidden: 2048,
    layers: 36,
    heads: 16,
    keyValueHeads: 2,
    headDim: 128,
    intermediate: 11008,
    vocabulary: 151936,
    attentionBias: true,
    visionTokens: 2048,
    visionWidth: 5120,
    ...shares,
  },
  'qwen2.5-vl-7b': {
    title: 'Qwen2.5-VL-7B',
    hidden: 3584,
    layers: 28,
    heads: 28,
    keyValueHeads: 4,
    headDim: 128,
    intermediate: 18944,
    vocabulary: 152064,
    attentionBias: true,
    visionTokens: 2048,
    visionWidth: 5120,
    ...shares,
  },
  // A picture in 4 × 4 tiles and once as a whole, 64 tokens each. Sixteen patches of 768 make a token.
  'smolvlm-256m': {
    title: 'SmolVLM-256M',
    hidden: 576,
    layers: 30,
    heads: 9,
    keyValueHeads: 3,
    headDim: 64,
    intermediate: 1536,
    vocabulary: 49280,
    attentionBias: false,
    visionTokens: 1088,
    visionWidth: 12288,
    ...shares,
  },
  'smolvlm-500m': {
    title: 'SmolVLM-500M',
    hidden: 960,
    layers: 32,
    heads: 15,
    keyValueHeads: 5,
    headDim: 64,
    intermediate: 2560,
    vocabulary: 49280,
    attentionBias: false,
    visionTokens: 1088,
    visionWidth: 12288,
    ...shares,
  },
  // A picture in 2 × 2 tiles and once as a whole, 729 tokens each.
  'llava-onevision-0.5b': {
    title: 'LLaVA-OneVision-0.5B',
    hidden: 896,
    layers: 24,
    heads: 14,
    keyValueHeads: 2,
    headDim: 64,
    intermediate: 4864,
    vocabulary: 152000,
    attentionBias: true,
    visionTokens: 3645,
    visionWidth: 1152,
    ...shares,
  },
};

/**
 * Dimensions by name.
 * @throws InvalidOptionsError for a name that is not there, with all that are.
 */
export function findModelDims(name: string): ModelDims {
  const found = Object.entries(modelDims).find(([known]) => known === name)?.[1];
  if (found !== undefined) return found;
  const all = Object.keys(modelDims).join(', ');
  throw new InvalidOptionsError('dims', [`there are no dimensions '${name}'; there are ${all}`]);
}

/**
 * Checks dimensions that came from outside, e.g. from a JSON file.
 * @throws InvalidOptionsError naming what is missing or wrong.
 */
export function parseModelDims(value: unknown): ModelDims {
  return parseOptions('dimensions of a model', schema, value);
}

/** Weights of the layers and of the head. */
export interface ParameterCounts {
  readonly perLayer: number;
  /** The final norm and the projection to the vocabulary; the table of embeddings is not run. */
  readonly head: number;
}

/** How many weights a decoder of these dimensions has. */
export function parameterCounts(dims: ModelDims): ParameterCounts {
  const { hidden, heads, keyValueHeads, headDim, intermediate, vocabulary, attentionBias } = dims;
  const queries = heads * headDim;
  const keysAndValues = 2 * keyValueHeads * headDim;
  const attention = hidden * (2 * queries + keysAndValues) + (attentionBias ? queries + keysAndValues : 0);
  return {
    perLayer: attention + 3 * hidden * intermediate + 2 * hidden,
    head: hidden + hidden * vocabulary,
  };
}
