// Select from features of your own, without a model library: rows of numbers in, indices of the rows to keep out.

import { createReferenceBackend, prefix, prepareImage, selectTokens } from '@mmtok/core';
import { draw, vision, words } from './scene.js';

const backend = createReferenceBackend();

const selection = await selectTokens({
  backend,
  vision, // [n, D]: what the language model would receive
  text: [words.cup], // [m, D]: embeddings of the question's words, in the same space
  budget: { tokens: 12 }, // or { ratio: 0.1 }, or { coverage: 0.95 }
});
console.log(
  `kept ${selection.indices.length} of ${selection.visionTokens} tokens:\n${draw(selection.indices)}`,
);
console.log('share of what all tokens cover:', selection.coverage);
console.log(`at least ${(100 * selection.optimality).toFixed(1)} % of the best possible choice`);

// Greedy is nested: one run contains every smaller selection.
console.log('the four most useful:', prefix(selection, 4).indices.join(', '));

// Several questions about one image: what does not depend on the question is computed once.
const image = prepareImage({ backend, vision });
for (const [word, embedding] of Object.entries(words)) {
  const { order } = await image.select({ text: [embedding], budget: { tokens: 3 } });
  console.log(`asked for the ${word}, first pick:`, order[0]);
}
image.dispose();
