// What holds for every image: the picks are those of the paper's equations, in any order of the tokens, by lazy and naive search.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { greedyByDefinition, paperMatrix } from '../../test/paper-oracle.js';
import { backend, outcome } from '../../test/table-case.js';
import { selectTokens } from './select-tokens.js';

describe('on features', () => {
  const rows = (count: fc.Arbitrary<number>, width: number) =>
    count.chain((length) =>
      fc.array(
        fc.array(
          fc.integer({ min: -4000, max: 4000 }).map((each) => each / 1000),
          {
            minLength: width,
            maxLength: width,
          },
        ),
        { minLength: length, maxLength: length },
      ),
    );
  const images = fc.integer({ min: 2, max: 16 }).chain((n) =>
    fc.record({
      vision: rows(fc.constant(n), 6),
      visionFeatures: rows(fc.constant(n), 4),
      text: rows(fc.integer({ min: 0, max: 4 }), 6),
      budget: fc.integer({ min: 1, max: n - 1 }),
      shuffle: fc.shuffledSubarray(
        Array.from({ length: n }, (_, j) => j),
        { minLength: n },
      ),
    }),
  );

  it('the picks follow the paper’s equations wherever doubles can distinguish them', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(images, async ({ vision, visionFeatures, text, budget }) => {
        const oracle = greedyByDefinition(
          paperMatrix({ vision, visionFeatures, text }),
          vision.length,
          budget,
        );
        if (oracle.smallestGap < 1e-4) return;
        compared++;
        const selection = await selectTokens({
          backend,
          vision,
          visionFeatures,
          text,
          budget: { tokens: budget },
        });
        expect(selection.order).toEqual(oracle.order);
        expect(selection.value).toBeCloseTo(oracle.values.at(-1) as number, 5);
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it('permuting the tokens permutes the picks', async () => {
    await fc.assert(
      fc.asyncProperty(images, async ({ vision, visionFeatures, text, budget, shuffle }) => {
        const { smallestGap } = greedyByDefinition(
          paperMatrix({ vision, visionFeatures, text }),
          vision.length,
          budget,
        );
        fc.pre(smallestGap > 1e-4);
        const straight = await selectTokens({
          backend,
          vision,
          visionFeatures,
          text,
          budget: { tokens: budget },
        });
        const permuted = await selectTokens({
          backend,
          vision: shuffle.map((j) => vision[j] as number[]),
          visionFeatures: shuffle.map((j) => visionFeatures[j] as number[]),
          text,
          budget: { tokens: budget },
        });
        expect(permuted.order.map((j) => shuffle[j])).toEqual(straight.order);
      }),
      { numRuns: 200 },
    );
  });

  it('lazy equals naive with duplicated tokens and zero rows', async () => {
    const duplicated = images.chain((image) =>
      fc.record({
        image: fc.constant(image),
        from: fc.array(fc.integer({ min: -1, max: image.vision.length - 1 }), {
          minLength: 3,
          maxLength: 20,
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(duplicated, fc.nat(), async ({ image, from }, pick) => {
        const repeat = (of: readonly number[][], width: number) =>
          from.map((j) => of[j] ?? new Array<number>(width).fill(0));
        const options = {
          backend,
          vision: repeat(image.vision, 6),
          visionFeatures: repeat(image.visionFeatures, 4),
          text: image.text,
          budget: { tokens: 1 + (pick % (from.length - 1)) },
        };
        const lazy = await selectTokens({ ...options, maximizer: 'lazy' });
        const naive = await selectTokens({ ...options, maximizer: 'naive' });
        expect(outcome(lazy)).toEqual(outcome(naive));
        expect(lazy.gains.every((gain) => gain >= 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
