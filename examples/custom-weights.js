// Set the weights of the terms of the objective, and of the targets within a term.

import { createReferenceBackend, selectTokens, textCoverage, visionCoverage } from '@mmtok/core';
import { count, things, vision, words } from './scene.js';

const shared = {
  backend: createReferenceBackend(),
  vision,
  text: [words.cup, words.plant],
  budget: { tokens: 10 },
};

/** @param {string} title @param {import('@mmtok/core').ObjectiveTerm[]} coverage */
async function show(title, coverage) {
  const { indices, order } = await selectTokens({ ...shared, coverage });
  const kept = `cup ${count(indices, 'cup')}, plant ${count(indices, 'plant')}, wall ${count(indices, 'wall')}`;
  const first = order.slice(0, 3).map((token) => things[token]);
  console.log(`${title}: ${kept}; picked first: ${first.join(', ')}`);
}

await show('as the paper', [textCoverage(), visionCoverage()]);

// Terms: the question alone. Once its words are covered, nothing more can be gained, and the lowest indices fill the budget.
await show('question only', [textCoverage()]);

// Targets of the text term: the first word, "cup", counts nine times as much as the second.
await show('cup first', [textCoverage({ targetWeights: [9, 1] }), visionCoverage()]);

// Words that match nothing in the image count little; helps at very small budgets.
await show('peaked words', [textCoverage({ peakedness: 4 }), visionCoverage()]);

// Targets of the vision term, by the question: what resembles its words counts most, the wall least.
await show('focused', [visionCoverage({ focus: 3 })]);

// Targets of the vision term, by hand: the cup's own tokens count ten times as much as the rest.
const targetWeights = things.map((thing) => (thing === 'cup' ? 10 : 1));
await show('cup in detail', [textCoverage(), visionCoverage({ targetWeights })]);
