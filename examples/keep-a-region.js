// Keep, avoid, or favor regions of the image: by constraints, which always hold, or by a bonus, which is one term among others.

import { createReferenceBackend, saliency, selectTokens, textCoverage, visionCoverage } from '@mmtok/core';
import { count, draw, things, vision, words } from './scene.js';

const tokens = things.map((_, token) => token);
const region = tokens.filter((token) => things[token] === 'cup');
const shared = {
  backend: createReferenceBackend(),
  vision,
  text: [words.plant],
  budget: { tokens: 16 },
};

// Every token of the region is kept; the rest of the budget covers the rest of the image.
const whole = await selectTokens({ ...shared, constraints: { include: region } });
console.log(
  `whole region kept (${count(whole.indices, 'cup')} of ${region.length}):\n${draw(whole.indices)}`,
);

// The lower half is never kept, for example because a caption is printed there.
const exclude = tokens.slice(tokens.length / 2);
const upper = await selectTokens({ ...shared, constraints: { exclude } });
console.log(`upper half only:\n${draw(upper.indices)}`);

// Between 4 and 6 tokens of the region. Groups can also be tiles, frames, or the images of a prompt.
const bounded = await selectTokens({
  ...shared,
  constraints: { groups: [{ members: region, min: 4, max: 6 }] },
});
console.log(`4 to 6 tokens of the region (${count(bounded.indices, 'cup')}):\n${draw(bounded.indices)}`);

// A bonus per token: the region is favored, but a token that covers more still wins.
const bonus = things.map((thing) => [thing === 'cup' ? 1 : 0]);
const favored = await selectTokens({
  ...shared,
  inputs: { saliency: bonus },
  coverage: [textCoverage(), visionCoverage(), saliency({ weight: 0.002 })],
});
console.log(`region favored (${count(favored.indices, 'cup')}):\n${draw(favored.indices)}`);
