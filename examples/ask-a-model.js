// The shortest way: createVlm loads a model, prunes it, and returns whole answers or streams. A hub id works in place of the
// embedded model's folder.

import { modelPath, samples } from '@mmtok/tiny-vlm';
import { createVlm } from '@mmtok/transformers';

const vlm = await createVlm(modelPath, { keep: 0.1 });
const [sample] = await samples();
if (sample === undefined) throw new Error('The samples are missing.');
const { image, question } = sample;

const { text, usage } = await vlm.ask({ image, question });
console.log(`${question} ${text} (${usage.keptTokens} of ${usage.visionTokens} vision tokens)`);

// All tokens, for comparison.
const all = await vlm.ask({ image, question, keep: false });
console.log(`${question} ${all.text} (${all.usage.keptTokens} of ${all.usage.visionTokens} vision tokens)`);

// Pieces, as they are written.
const stream = vlm.stream({ image, question: 'Describe the image.', keep: 64 });
const pieces = [];
for await (const piece of stream) pieces.push(piece);
console.log('pieces:', pieces, 'milliseconds:', (await stream.answer).report.timings);

await vlm.dispose();
