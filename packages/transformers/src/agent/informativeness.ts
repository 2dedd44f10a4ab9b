// How much a question says about where to look in an image: what `when: 'auto'` decides by.

import { type Backend, cosineSimilarity, type Float32Tensor } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';

const distributions = defineProgram({
  name: 'informativeness',
  inputs: { vision: { dims: ['n', 'D'] }, text: { dims: ['m', 'D'] }, temperature: { dims: [] } },
  outputs: { peakedness: { dims: ['one', 'm'] } },
  build: (ops, { vision, text, temperature }) => {
    const p = ops.softmax(ops.divide(cosineSimilarity(ops, vision, text), temperature), 0);
    const tiny = ops.scalar(1e-30);
    const negativeEntropy = ops.sum(ops.multiply(p, ops.log(ops.maximum(p, tiny))), 0, { keepDims: true });
    const highest = ops.maximum(ops.log(ops.size(p, 0)), tiny);
    return { peakedness: ops.add(ops.scalar(1), ops.divide(negativeEntropy, highest)) };
  },
});

/**
 * The highest 1 − H / log n among text tokens, where H is the entropy of text coverage's softmax over the n vision
 * tokens: near 1 where at least one word points at a place, near 0 where every word sees the same everywhere, and 0 where
 * there are no words.
 */
export async function informativeness(
  backend: Backend,
  vision: Float32Tensor,
  text: Float32Tensor | undefined,
  temperature: number,
): Promise<number> {
  if (text === undefined) return 0;
  const { peakedness } = await backend.run(distributions, {
    vision,
    text,
    temperature: float32(Float32Array.of(temperature), []),
  });
  const values = (peakedness as Float32Tensor).data;
  return Math.min(
    1,
    values.reduce((highest, one) => Math.max(highest, one), 0),
  );
}
