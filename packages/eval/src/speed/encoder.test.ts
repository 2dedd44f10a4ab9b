import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, it } from 'vitest';
import { expectClose, fromSixteenths, sixteenthWeights } from '../../test/official-weights.js';
import { addGatedMerger } from './encoder.js';
import { Sketch } from './sketch.js';

/** The projector of GLM-OCR, as test/official/make_decoders.py ran it: weights and tokens in sixteenths. */
const { glmOcrMerger } = JSON.parse(
  readFileSync(new URL('../../test/official/decoders-golden.json', import.meta.url), 'utf8'),
) as {
  readonly glmOcrMerger: {
    readonly weights: Readonly<Record<string, readonly number[]>>;
    readonly tokens: readonly number[];
    readonly output: readonly number[];
  };
};

describe('an encoder', () => {
  it('computes what transformers computes after the projector of GLM-OCR', async () => {
    const { weights, tokens, output } = glmOcrMerger;
    const g = new Sketch({ dtype: 'fp32', weights: sixteenthWeights(weights) });
    const merged = addGatedMerger(g, 'x', 8, 12);
    const session = await ort.InferenceSession.create(
      g.encode([{ name: 'x', dtype: 'float32', dims: [1, 'tokens', 8] }], [{ name: merged }]),
    );
    const x = new ort.Tensor('float32', Float32Array.from(fromSixteenths(tokens)), [1, 5, 8]);
    expectClose((await session.run({ x }))[merged]?.data as Float32Array, output);
  });
});
