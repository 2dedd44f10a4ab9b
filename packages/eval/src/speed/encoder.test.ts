import * as ort from 'onnxruntime-node';
import { describe, it } from 'vitest';
import {
  expectClose,
  fromSixteenths,
  type OfficialWeights,
  readGolden,
  sixteenthWeights,
} from '../../test/official-weights.js';
import type { TransformerEncoder } from './dims.js';
import { encoderGraph } from './encoder.js';

/** The tower of GLM-OCR, as test/official/make_decoders.py ran it: weights and patches in sixteenths. */
const { glmOcrTower } = readGolden<{
  readonly glmOcrTower: {
    readonly weights: OfficialWeights;
    /** `[8, 24]` */
    readonly patches: readonly number[];
    /** `[2, 12]` */
    readonly tokens: readonly number[];
  };
}>('decoders');

const encoder: TransformerEncoder = {
  title: 'GLM-OCR',
  hidden: 16,
  layers: 2,
  heads: 2,
  intermediate: 24,
  gated: true,
  headNorms: true,
  patchValues: 24,
  grid: [4, 2],
  tiles: 1,
  classToken: false,
  merge: 2,
  projector: [],
  gatedMerger: 36,
};

describe('the tower of GLM-OCR', () => {
  const { weights, patches, tokens } = glmOcrTower;

  it('computes what transformers computes', async () => {
    const graph = encoderGraph({
      encoder,
      layers: 2,
      dtype: 'fp32',
      hidden: 12,
      weights: sixteenthWeights(weights),
    });
    const session = await ort.InferenceSession.create(graph);
    const input = new ort.Tensor('float32', Float32Array.from(fromSixteenths(patches)), [1, 8, 24]);
    const { image_features } = await session.run({ patches: input });
    expectClose(image_features?.data as Float32Array, tokens);
  });
});
