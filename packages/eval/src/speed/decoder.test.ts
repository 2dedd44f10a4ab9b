import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  countWeights,
  expectClose,
  fromSixteenths,
  type OfficialWeights,
  readGolden,
  sixteenthWeights,
} from '../../test/official-weights.js';
import { dims as small } from '../../test/small-dims.js';
import { decoderGraphs } from './decoder.js';
import { type ModelDims, parameterCounts } from './dims.js';
import { emptyState, layerStates, mixersOf } from './mixers.js';

/** A decoder of transformers, as test/official/make_decoders.py ran it: weights and embeddings in sixteenths. */
interface Golden {
  readonly weights: OfficialWeights;
  /** `[10, hidden]` */
  readonly embeddings: readonly number[];
  /** Logits after all tokens but the last, and after the last. */
  readonly prompt: readonly number[];
  readonly step: readonly number[];
}
const golden = readGolden<Readonly<Record<'phi' | 'qwen3' | 'glmOcr', Golden>>>('decoders');

const qwen3: ModelDims = {
  ...small,
  hidden: 32,
  layers: 2,
  heads: 2,
  keyValueHeads: 1,
  headDim: 16,
  intermediate: 24,
  vocabulary: 10,
  attentionBias: false,
  headNorms: true,
};
const glmOcr: ModelDims = { ...qwen3, headNorms: false, postNorms: true };
const phi: ModelDims = {
  ...qwen3,
  keyValueHeads: 2,
  attentionBias: true,
  headNorms: false,
  biased: true,
  gated: false,
  parallel: true,
};

/** Runs embeddings over what earlier calls left in the cache, and returns the logits of the last token. */
async function decoderOf(dims: ModelDims, weights: OfficialWeights) {
  const { layers, head } = decoderGraphs({
    dims,
    layers: dims.layers,
    dtype: 'fp32',
    maxLength: 16,
    weights: sixteenthWeights(weights),
  });
  const [body, top] = [await ort.InferenceSession.create(layers), await ort.InferenceSession.create(head)];
  const states = mixersOf(dims, dims.layers).flatMap((one, layer) => layerStates(one, dims, layer));
  const Tensor = ort.Tensor as unknown as Parameters<typeof emptyState>[2];
  let cache = Object.fromEntries(
    states.map((state) => [state.past, emptyState(state, false, Tensor) as unknown as ort.Tensor]),
  );
  let total = 0;
  return async (embeddings: readonly number[]): Promise<Float32Array> => {
    const fresh = embeddings.length / dims.hidden;
    total += fresh;
    const { hidden, ...presents } = await body.run({
      ...cache,
      inputs_embeds: new ort.Tensor('float32', Float32Array.from(embeddings), [1, fresh, dims.hidden]),
      attention_mask: new ort.Tensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
    });
    cache = Object.fromEntries(states.map(({ past, present }) => [past, presents[present] as ort.Tensor]));
    const { logits } = await top.run({ hidden: hidden as ort.Tensor });
    return logits?.data as Float32Array;
  };
}

describe.each([
  ['Qwen 3, with norms per head', qwen3, 'qwen3'],
  ['that of GLM-OCR, with norms after each block', glmOcr, 'glmOcr'],
  ['Phi, with attention and feed-forward blocks side by side', phi, 'phi'],
] as const)('a decoder like %s', (_, dims, key) => {
  const { weights, embeddings, prompt, step } = golden[key];

  it('computes what transformers computes', async () => {
    const run = await decoderOf(dims, weights);
    const exact = fromSixteenths(embeddings);
    const last = exact.length - dims.hidden;
    expectClose(await run(exact.slice(0, last)), prompt);
    expectClose(await run(exact.slice(last)), step);
  });

  it('has as many weights', () => {
    const { layers, head } = parameterCounts(dims);
    expect(layers + head).toBe(countWeights(weights));
  });
});
