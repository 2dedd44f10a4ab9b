// A coverage term of your own: photographers put what matters in the center. The term is written once against abstract
// operations, so every backend runs it, compiled if the backend compiles.

import {
  createReferenceBackend,
  defineCoverage,
  selectTokens,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import { draw, grid, vision, words } from './scene.js';

/** One target, the center of the image. A token covers it by exp(−distance² / width²). */
const centerPrior = defineCoverage({
  name: 'center',
  inputs: { vision: { dims: ['n', 'D'] }, distance: { dims: ['n', 'spots'] } },
  targets: 'spots',
  parameters: { width: 0.25 },
  nonNegative: true,
  build: (ops, { distance }, { width }) => {
    const relative = ops.divide(distance, width);
    return { affinity: ops.exp(ops.subtract(ops.scalar(0), ops.multiply(relative, relative))) };
  },
});

// The term reads a tensor of its own, [n, spots]: how far each token is from the center, as a share of the image.
const [rows, columns] = grid;
const distance = vision.map((_, token) => [
  Math.hypot((Math.floor(token / columns) + 0.5) / rows - 0.5, ((token % columns) + 0.5) / columns - 0.5),
]);

for (const backend of [createReferenceBackend(), await createOrtBackend()]) {
  const selection = await selectTokens({
    backend,
    vision,
    text: [words.cup],
    inputs: { distance },
    coverage: [textCoverage(), visionCoverage(), centerPrior({ weight: 2, parameters: { width: 0.1 } })],
    budget: { tokens: 8 },
  });
  console.log(`${backend.name}: first pick ${selection.order[0]}, coverage`, selection.coverage);
  console.log(draw(selection.indices));
  await backend.dispose();
}
