// What mixes the tokens of a decoder layer: attention, a gated delta net, or a short convolution. As data and as costs, with the state
// that each keeps between calls.

import * as z from 'zod';
import type { SpeedTensor } from './runtime.js';
import { positiveInt } from './schemas.js';

/** Attention, with the heads of the model's dimensions. */
export interface AttentionMixer {
  readonly mixer: 'attention';
}

/** A gated delta net, the linear attention of Qwen3.5 (https://arxiv.org/abs/2412.06464). */
export interface DeltaNetMixer {
  readonly mixer: 'deltaNet';
  /** Heads of queries and keys, and of values; the latter are a multiple. */
  readonly keyHeads: number;
  readonly valueHeads: number;
  /** Width of a head of queries and keys, and of values. */
  readonly keyDim: number;
  readonly valueDim: number;
  /** Tokens that the convolution before it spans. */
  readonly kernel: number;
}

/** A gated convolution over the last few tokens, as in LFM2. */
export interface ShortConvMixer {
  readonly mixer: 'shortConv';
  /** Tokens that it spans. */
  readonly kernel: number;
}

/** What mixes the tokens of a layer. */
export type Mixer = AttentionMixer | DeltaNetMixer | ShortConvMixer;

/** The dimensions that mixers read. */
export interface MixerDims {
  /** Width of the embeddings, D. */
  readonly hidden: number;
  /** Attention heads, and key-value heads. */
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  /** Whether queries, keys, and values have a bias, as in Qwen 2. */
  readonly attentionBias: boolean;
  /**
   * Whether all other linear layers have a bias too and norms subtract the mean (LayerNorm), as in Phi and BART. Otherwise, norms only
   * divide by the root mean square. @default false
   */
  readonly biased?: boolean | undefined;
  /** Whether queries and keys are normalized per head, as in Qwen 3. @default false */
  readonly headNorms?: boolean | undefined;
  /** Whether a gate scales what attention returns, as in Qwen3.5. @default false */
  readonly outputGate?: boolean | undefined;
  /** The mixers of the first layers, which repeat; their number divides the number of layers. @default attention in every layer */
  readonly mixers?: readonly Mixer[] | undefined;
}

/** Checks a mixer. */
export const mixerSchema: z.ZodType<Mixer, Mixer> = z.discriminatedUnion('mixer', [
  z.strictObject({ mixer: z.literal('attention') }),
  z
    .strictObject({
      mixer: z.literal('deltaNet'),
      keyHeads: positiveInt,
      valueHeads: positiveInt,
      keyDim: positiveInt,
      valueDim: positiveInt,
      kernel: positiveInt.min(2, 'expected at least 2'),
    })
    .refine(
      ({ keyHeads, valueHeads }) => valueHeads % keyHeads === 0,
      'expected valueHeads to be a multiple of keyHeads',
    ),
  z.strictObject({ mixer: z.literal('shortConv'), kernel: positiveInt.min(2, 'expected at least 2') }),
]);

const ATTENTION: readonly Mixer[] = [{ mixer: 'attention' }];

/** The number of layers after which the mixers repeat: as many must be built together. */
export function mixerPeriod({ mixers = ATTENTION }: MixerDims): number {
  return mixers.length;
}

/** The mixers of the first `layers` layers. */
export function mixersOf({ mixers = ATTENTION }: MixerDims, layers: number): Mixer[] {
  return Array.from({ length: layers }, (_, layer) => mixers[layer % mixers.length] as Mixer);
}

// Costs.

/** How many weights a mixer has. */
export function mixerWeights(one: Mixer, dims: MixerDims): number {
  const { hidden } = dims;
  switch (one.mixer) {
    case 'attention': {
      const { heads, keyValueHeads, headDim, attentionBias, biased = false } = dims;
      const { headNorms = false, outputGate = false } = dims;
      const queries = heads * headDim;
      const keysAndValues = 2 * keyValueHeads * headDim;
      return (
        hidden * ((outputGate ? 3 : 2) * queries + keysAndValues) +
        (attentionBias ? queries + keysAndValues : 0) +
        (biased ? hidden : 0) +
        (headNorms ? 2 * headDim : 0)
      );
    }
    case 'deltaNet': {
      const { valueHeads, valueDim, kernel } = one;
      const { convolved, values } = deltaWidths(one);
      return (
        hidden * (convolved + 2 * values + 2 * valueHeads) + convolved * kernel + 2 * valueHeads + valueDim
      );
    }
    case 'shortConv':
      return 4 * hidden ** 2 + hidden * one.kernel;
  }
}

/** Multiplications of a mixer for a prompt, in addition to one per weight and token. */
export function mixingCost(one: Mixer, { heads, headDim }: MixerDims, tokens: number): number {
  switch (one.mixer) {
    case 'attention':
      // Each token attends to the tokens before it: half of the square, for scores and for values.
      return heads * headDim * tokens ** 2;
    case 'deltaNet':
      // Of the state of each head: decay, what the key recalls, the update, and what the query reads.
      return 4 * one.valueHeads * one.keyDim * one.valueDim * tokens;
    case 'shortConv':
      return 0;
  }
}

/** Widths of what the convolution before a delta net reads, and of all heads of keys and of values. */
export function deltaWidths({ keyHeads, valueHeads, keyDim, valueDim }: DeltaNetMixer): {
  readonly convolved: number;
  readonly keys: number;
  readonly values: number;
} {
  const keys = keyHeads * keyDim;
  const values = valueHeads * valueDim;
  return { convolved: 2 * keys + values, keys, values };
}

// State between calls.

/** A tensor that a layer keeps between calls. */
export interface LayerState {
  /** Names of the graph's input and output. */
  readonly past: string;
  readonly present: string;
  /** Whether it has the graph's precision; otherwise its numbers have 32 bits. */
  readonly isCast: boolean;
  /** `'past'` is the number of tokens so far. */
  readonly dims: readonly (number | 'past')[];
}

/** What a layer keeps between calls, named as in exports for transformers.js. */
export function layerStates(one: Mixer, dims: MixerDims, layer: number): LayerState[] {
  const { hidden, keyValueHeads, headDim } = dims;
  const window = (channels: number, kernel: number): LayerState => ({
    past: `past_conv.${layer}`,
    present: `present_conv.${layer}`,
    isCast: false,
    dims: [1, channels, kernel - 1],
  });
  switch (one.mixer) {
    case 'attention':
      return ['key', 'value'].map((kind) => ({
        past: `past_key_values.${layer}.${kind}`,
        present: `present.${layer}.${kind}`,
        isCast: true,
        dims: [1, keyValueHeads, 'past', headDim],
      }));
    case 'deltaNet':
      return [
        window(deltaWidths(one).convolved, one.kernel),
        {
          past: `past_recurrent.${layer}`,
          present: `present_recurrent.${layer}`,
          isCast: false,
          dims: [1, one.valueHeads, one.keyDim, one.valueDim],
        },
      ];
    case 'shortConv':
      return [window(hidden, one.kernel)];
  }
}

/** A layer's state before the first token. */
export function emptyState(
  { isCast, dims }: LayerState,
  isHalf: boolean,
  Tensor: new (type: string, data: unknown, dims: readonly number[]) => SpeedTensor,
): SpeedTensor {
  const shape = dims.map((length) => (length === 'past' ? 0 : length));
  const count = shape.reduce((product, length) => product * length, 1);
  return isCast && isHalf
    ? new Tensor('float16', new Uint16Array(count), shape)
    : new Tensor('float32', new Float32Array(count), shape);
}
