import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  countWeights,
  expectClose,
  givenWeights,
  type OfficialWeights,
  readGolden,
} from '../../test/official-weights.js';
import { addMixer } from './mixer-graphs.js';
import {
  emptyState,
  layerStates,
  type Mixer,
  type MixerDims,
  mixersOf,
  mixerWeights,
  mixingCost,
} from './mixers.js';
import { Sketch } from './sketch.js';
import type { WeightSource } from './weights.js';

const hidden = 8;
const dims: MixerDims = { hidden, heads: 2, keyValueHeads: 1, headDim: 8, attentionBias: false };

/** A layer of transformers, as test/official/make_mixers.py ran it. */
interface Golden {
  readonly weights: OfficialWeights;
  /** `[71, hidden]` */
  readonly tokens: readonly number[];
  /** The output for all tokens but the last, and then for that one. */
  readonly prompt: readonly number[];
  readonly step: readonly number[];
}
const golden = readGolden<Readonly<Record<'deltaNet' | 'sharedKeys' | 'shortConv', Golden>>>('mixers');

const delta: Mixer = { mixer: 'deltaNet', keyHeads: 2, valueHeads: 2, keyDim: 4, valueDim: 3, kernel: 4 };
const short: Mixer = { mixer: 'shortConv', kernel: 3 };

/** Weights by the last part of their names. */
const given = (weights: OfficialWeights): WeightSource =>
  givenWeights(weights, (name) => name.replace(/^layers\.\d+\.\w+\./, '').replace(/\.weight$/, ''));

/** A session of one mixer, and its state: a call takes tokens and returns the output for them. */
async function layerOf(one: Mixer, weights: WeightSource) {
  const g = new Sketch({ dtype: 'fp32', weights });
  const output = addMixer(g, one, { dims, layer: 0, x: 'x', shared: [] });
  const states = layerStates(one, dims, 0);
  const graph = g.encode(
    [
      { name: 'x', dtype: 'float32', dims: [1, 'fresh', hidden] },
      ...states.map(({ past, dims: shape }) => ({ name: past, dtype: 'float32' as const, dims: shape })),
    ],
    [{ name: output }, ...states.map(({ present }) => ({ name: present }))],
  );
  const session = await ort.InferenceSession.create(graph);
  const Tensor = ort.Tensor as unknown as Parameters<typeof emptyState>[2];
  let feeds = Object.fromEntries(states.map((state) => [state.past, emptyState(state, false, Tensor)]));
  return async (tokens: readonly number[]): Promise<Float32Array> => {
    const x = new ort.Tensor('float32', Float32Array.from(tokens), [1, tokens.length / hidden, hidden]);
    const outputs = await session.run({ ...feeds, x } as unknown as ort.InferenceSession.FeedsType);
    feeds = Object.fromEntries(states.map(({ past, present }) => [past, outputs[present] as ort.Tensor]));
    return outputs[output]?.data as Float32Array;
  };
}

describe('a mixer', () => {
  it.each<[string, Mixer, keyof typeof golden]>([
    ['a gated delta net', delta, 'deltaNet'],
    ['a gated delta net whose heads share keys', { ...delta, valueHeads: 4 }, 'sharedKeys'],
    ['a short convolution', short, 'shortConv'],
  ])('computes what transformers computes: %s', async (_, one, key) => {
    const { weights, tokens, prompt, step } = golden[key];
    const run = await layerOf(one, given(weights));
    expectClose(await run(tokens.slice(0, prompt.length)), prompt);
    expectClose(await run(tokens.slice(prompt.length)), step);
  });

  it('carries its state: a prompt in pieces gives what the whole gives', async () => {
    for (const [one, key] of [
      [delta, 'deltaNet'],
      [short, 'shortConv'],
    ] as const) {
      const { weights, tokens, prompt } = golden[key];
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(fc.integer({ min: 1, max: prompt.length / hidden - 1 }), { maxLength: 4 }),
          async (cuts) => {
            const run = await layerOf(one, given(weights));
            const ends = [...cuts.toSorted((a, b) => a - b), prompt.length / hidden];
            let start = 0;
            const pieces: number[] = [];
            for (const end of ends) {
              pieces.push(...(await run(tokens.slice(start * hidden, end * hidden))));
              start = end;
            }
            expectClose(Float32Array.from(pieces), prompt);
          },
        ),
        { numRuns: 5 },
      );
    }
  });

  it('has as many weights as transformers', () => {
    expect(mixerWeights(delta, dims)).toBe(countWeights(golden.deltaNet.weights));
    expect(mixerWeights(short, dims)).toBe(countWeights(golden.shortConv.weights));
    const gated = { ...dims, headNorms: true, outputGate: true };
    expect(mixerWeights({ mixer: 'attention' }, gated)).toBe(
      mixerWeights({ mixer: 'attention' }, dims) + 2 * 8 + 8 * 16,
    );
  });

  it('costs multiplications in proportion to the tokens, and attention to their square', () => {
    expect(mixingCost(delta, dims, 10)).toBe(10 * 2 * 4 * 3 * 4);
    expect(mixingCost(short, dims, 10)).toBe(0);
    expect(mixingCost({ mixer: 'attention' }, dims, 20)).toBe(
      4 * mixingCost({ mixer: 'attention' }, dims, 10),
    );
  });

  it('repeats over the layers', () => {
    expect(mixersOf(dims, 3).map(({ mixer }) => mixer)).toEqual(['attention', 'attention', 'attention']);
    const mixed = mixersOf({ ...dims, mixers: [short, { mixer: 'attention' }] }, 4);
    expect(mixed.map(({ mixer }) => mixer)).toEqual(['shortConv', 'attention', 'shortConv', 'attention']);
  });
});
