// A prepared image: what does not depend on the question is computed once, failures are not kept, dispose() ends it.

import { describe, expect, it } from 'vitest';
import type { Backend } from '../backend/index.js';
import { createReferenceBackend } from '../backend/reference/index.js';
import { textCoverage, visionCoverage } from '../coverage/index.js';
import {
  DisposedError,
  InvalidBudgetError,
  InvalidOptionsError,
  InvalidTensorError,
} from '../errors/index.js';
import { syntheticFeatures, syntheticText } from '../testing/synthetic-features.js';
import { prepareImage } from './prepare-image.js';
import { selectTokens } from './select-tokens.js';

const map = (dim: number, seed: number) =>
  syntheticFeatures({ height: 5, width: 6, dim, clusters: 3, noise: 0.5, common: 0.7, seed });
const vision = map(12, 1);
const visionFeatures = map(8, 2);
const questions = [3, 4, 5].map((seed) => syntheticText(vision, 1 + (seed % 3), seed));
const budget = { tokens: 7 };

/** A reference backend that writes down the programs it ran, and fails where it is told to. */
function spied(fails: (program: string, run: number) => boolean = () => false) {
  const inner = createReferenceBackend();
  const runs: string[] = [];
  const backend: Backend = {
    ...inner,
    async run(program, inputs, options) {
      runs.push(program.name);
      await Promise.resolve();
      if (fails(program.name, runs.length)) throw new Error('out of memory');
      return inner.run(program, inputs, options);
    },
  };
  const count = (program: string): number => runs.filter((each) => each === program).length;
  return { backend, runs, count };
}

describe('prepareImage', () => {
  it('computes nothing before the first question', () => {
    const { backend, runs } = spied();
    expect(prepareImage({ backend, vision, visionFeatures }).candidates).toBe(30);
    expect(runs).toEqual([]);
  });

  it('computes the vision matrix once for several questions, with the results of separate selections', async () => {
    const { backend, count } = spied();
    const image = prepareImage({ backend, vision, visionFeatures });
    for (const text of questions) {
      const selection = await image.select({ text, budget });
      const separate = await selectTokens({
        backend: createReferenceBackend(),
        vision,
        visionFeatures,
        text,
        budget,
      });
      expect(selection.order).toEqual(separate.order);
      expect(selection.gains).toEqual(separate.gains);
    }
    expect(count('coverage(vision)')).toBe(1);
    expect(count('coverage(text)')).toBe(3);
    image.dispose();
  });

  it('serves concurrent questions, still computing it once', async () => {
    const { backend, count } = spied();
    const image = prepareImage({ backend, vision, visionFeatures });
    const together = await Promise.all(questions.map((text) => image.select({ text, budget })));
    for (const [at, text] of questions.entries()) {
      const alone = await image.select({ text, budget });
      expect(together[at]?.order).toEqual(alone.order);
      expect(together[at]?.gains).toEqual(alone.gains);
    }
    expect(count('coverage(vision)')).toBe(1);
    image.dispose();
  });

  it('asks again with other budgets, constraints and searches', async () => {
    const { backend, count } = spied();
    const image = prepareImage({ backend, vision, visionFeatures });
    const [text] = questions;
    const ten = await image.select({ ...(text && { text }), budget: { tokens: 10 } });
    const four = await image.select({ ...(text && { text }), budget: { tokens: 4 }, maximizer: 'naive' });
    expect(four.order).toEqual(ten.prefix(4).order);
    const [best] = ten.order as [number];
    const without = await image.select({ ...(text && { text }), budget, constraints: { exclude: [best] } });
    expect(without.order).not.toContain(best);
    expect((await image.select({ budget })).notes).toHaveLength(1);
    expect(count('coverage(vision)')).toBe(1);
    image.dispose();
  });

  it('does not keep a failure', async () => {
    const { backend, count } = spied((program, run) => program === 'coverage(vision)' && run <= 2);
    const image = prepareImage({ backend, vision, visionFeatures, coverage: [visionCoverage()] });
    await expect(image.select({ budget })).rejects.toThrow('out of memory');
    await expect(image.select({ budget })).rejects.toThrow('out of memory');
    expect((await image.select({ budget })).order).toHaveLength(7);
    await image.select({ budget });
    expect(count('coverage(vision)')).toBe(3);
    image.dispose();
  });

  it('a failure reaches every question that waited for it, and later ones work', async () => {
    const { backend } = spied((_, run) => run === 1);
    const image = prepareImage({ backend, vision, visionFeatures, coverage: [visionCoverage()] });
    const both = await Promise.allSettled([image.select({ budget }), image.select({ budget })]);
    expect(both.map((each) => each.status)).toEqual(['rejected', 'rejected']);
    expect((await image.select({ budget })).order).toHaveLength(7);
  });

  it('a question that fails leaves the image usable', async () => {
    const { backend, count } = spied();
    const image = prepareImage({ backend, vision, visionFeatures });
    await expect(image.select({ text: [[1, 2]], budget })).rejects.toThrow(InvalidTensorError);
    await expect(image.select({ budget: { tokens: 0 } })).rejects.toThrow(InvalidBudgetError);
    expect((await image.select({ budget })).order).toHaveLength(7);
    expect(count('coverage(vision)')).toBeLessThanOrEqual(1);
  });
});

describe('dispose()', () => {
  it('ends it; twice is harmless', async () => {
    const { backend } = spied();
    const image = prepareImage({ backend, vision, visionFeatures });
    await image.select({ budget });
    image.dispose();
    image.dispose();
    await expect(image.select({ budget })).rejects.toThrow(DisposedError);
    await expect(image.select({ budget: { tokens: 99 } })).rejects.toThrow(
      'A prepared image was used after dispose()',
    );
  });

  it('lets selections under way finish with the right result', async () => {
    const { backend } = spied();
    const [text] = questions;
    const wanted = await selectTokens({ backend, vision, visionFeatures, ...(text && { text }), budget });
    const image = prepareImage({ backend, vision, visionFeatures });
    const underWay = [
      image.select({ ...(text && { text }), budget }),
      image.select({ ...(text && { text }), budget }),
    ];
    image.dispose();
    // Others take and return memory meanwhile.
    await Promise.all(
      [7, 8, 9].map((seed) =>
        selectTokens({ backend, vision: map(12, seed), visionFeatures: map(8, seed), budget }),
      ),
    );
    for (const selection of await Promise.all(underWay)) expect(selection.gains).toEqual(wanted.gains);
    await expect(image.select({ budget })).rejects.toThrow(DisposedError);
  });

  it('works where nothing was computed, or it failed', async () => {
    const { backend } = spied(() => true);
    prepareImage({ backend, vision }).dispose();
    const image = prepareImage({ backend, vision });
    await expect(image.select({ budget })).rejects.toThrow('out of memory');
    image.dispose();
  });
});

describe('inputs', () => {
  const { backend } = spied();

  it('are checked when the image is prepared', () => {
    expect(() => prepareImage({ backend, vision: [] })).toThrow(InvalidTensorError);
    expect(() => prepareImage({ backend, vision, visionFeatures: [[1]] })).toThrow('expected 30 rows');
    expect(() => prepareImage({ backend, vision, coverage: [] })).toThrow(InvalidOptionsError);
    expect(() => prepareImage(undefined as unknown as Parameters<typeof prepareImage>[0])).toThrow(
      InvalidOptionsError,
    );
  });

  it('that are not finite are refused by the first selection at the latest', async () => {
    const wrong = [
      [1, 2],
      [3, Number.NaN],
    ];
    const act = async () => prepareImage({ backend, vision: wrong }).select({ budget: { tokens: 1 } });
    await expect(act()).rejects.toThrow("Tensor 'vision': row 1, column 1 is NaN");
  });

  it('one text term alone needs a question', async () => {
    const image = prepareImage({ backend, vision, coverage: [textCoverage()] });
    await expect(image.select({ budget })).rejects.toThrow(InvalidTensorError);
    const [text] = questions;
    expect((await image.select({ ...(text && { text }), budget })).order).toHaveLength(7);
  });
});
