// Choose tokens with a function of your own instead of an objective. It gets the features of an image and says which tokens
// to keep. Here: those with the largest norm, a common baseline, against MMTok.

import { modelPath, samples } from '@mmtok/tiny-vlm';
import { createVlm } from '@mmtok/transformers';

/** @type {import('@mmtok/transformers').Select} */
const largestNorm = ({ vision: { data, dims } }, { tokens, excluded }) => {
  const [n = 0, width = 0] = dims;
  const norms = Array.from({ length: n }, (_, i) => Math.hypot(...data.subarray(i * width, (i + 1) * width)));
  return norms
    .map((_, index) => index)
    .filter((index) => !excluded.includes(index))
    .sort((a, b) => (norms[b] ?? 0) - (norms[a] ?? 0))
    .slice(0, tokens);
};

const questions = (await samples()).slice(0, 6);
const vlm = await createVlm(modelPath, { keep: 16 });
for (const [name, mmtok] of Object.entries({ MMTok: {}, 'largest norm': { select: largestNorm } })) {
  let correct = 0;
  for (const { image, question, answer } of questions) {
    const { text, usage } = await vlm.ask({ image, question, mmtok });
    if (usage.keptTokens !== 16) throw new Error('Every method keeps as many tokens as it is asked for.');
    if (text === answer) correct++;
  }
  console.log(`${name}: ${correct} of ${questions.length} correct with 16 of 576 vision tokens`);
}
await vlm.dispose();
