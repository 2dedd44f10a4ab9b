// A prepared image: what does not depend on the question is computed once, failures are not kept, dispose() ends it.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../backend/backend.js';
import { createReferenceBackend } from '../backend/reference-backend.js';
import type { HostTensor } from '../backend/tensor.js';
import { defineCoverage } from '../coverage/define-coverage.js';
import { textCoverage, visionCoverage } from '../coverage/terms.js';
import { DisposedError, InvalidBudgetError, InvalidOptionsError, InvalidTensorError } from '../errors.js';
import { cosineSimilarity } from '../similarity.js';
import { syntheticFeatures, syntheticText } from '../testing/synthetic-features.js';
import { prepareImage, selectTokens } from './select-tokens.js';
import { prefix } from './selection.js';

const map = (dim: number, seed: number) =>
  syntheticFeatures({ height: 5, width: 6, dim, clusters: 3, noise: 0.5, common: 0.7, seed });
const vision = map(12, 1);
const visionFeatures = map(8, 2);
const questions = [3, 4, 5].map((seed) => syntheticText(vision, 1 + (seed % 3), seed));
const budget = { tokens: 7 };

/** A reference backend that records its programs, the inputs whose row norms they computed, and the norms returned, and fails on demand. */
function spied(fails: (program: string, run: number) => boolean = () => false) {
  const inner = createReferenceBackend();
  const runs: string[] = [];
  const normed: string[] = [];
  const returned: WeakRef<object>[] = [];
  const backend: Backend = {
    ...inner,
    async run(program, inputs, options) {
      runs.push(program.name);
      await Promise.resolve();
      if (fails(program.name, runs.length)) throw new Error('out of memory');
      const watched: typeof program = {
        ...program,
        build: (ops, tensors) => {
          const rowNorms = (x: Parameters<typeof ops.rowNorms>[0]) => {
            normed.push(
              ...Object.keys(tensors)
                .filter((name) => tensors[name as keyof typeof tensors] === x)
                .map((name) => name.replace('tensors/', '')),
            );
            return ops.rowNorms(x);
          };
          return program.build({ ...ops, rowNorms }, tensors);
        },
      };
      const outputs = await inner.run(watched, inputs, options);
      const norms = (outputs as Readonly<Record<string, HostTensor>>)['norms/vision'];
      if (norms !== undefined) returned.push(new WeakRef(norms.data));
      return outputs;
    },
  };
  const count = (program: string): number => runs.filter((each) => each === program).length;
  return { backend, runs, count, normed, returned };
}

/** How many of the objects are still referenced. */
async function liveOf(objects: readonly WeakRef<object>[]): Promise<number> {
  // Dereferencing a WeakRef keeps its object alive until the end of the turn.
  await new Promise((resolve) => setTimeout(resolve));
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return objects.filter((object) => object.deref() !== undefined).length;
}

describe('prepareImage', () => {
  it.each([
    [{ visionfeatures: visionFeatures }, 'Unrecognized key: "visionfeatures"'],
    [{ inputs: { visionFeatures } }, "'visionFeatures' is an option"],
    [{ inputs: { vision, text: vision } }, "'vision', 'text' are options"],
    [{ inputs: 3 }, 'inputs: Invalid input'],
  ])('rejects options that it would otherwise ignore: %j', (wrong, message) => {
    const act = (): unknown => prepareImage({ backend: spied().backend, vision, ...(wrong as object) });
    expect(act).toThrow(InvalidOptionsError);
    expect(act).toThrow(message);
  });

  it('rejects misspelled options of a question', async () => {
    const image = prepareImage({ backend: spied().backend, vision });
    const misspelt = { budget, constraint: { exclude: [3] } };
    const act = image.select(misspelt);
    await expect(act).rejects.toThrow('Unrecognized key: "constraint"');
  });

  it('computes nothing before the first question', () => {
    const { backend, runs } = spied();
    expect(prepareImage({ backend, vision, visionFeatures }).visionTokens).toBe(30);
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

  it('computes the norms of the image once for several questions', async () => {
    const { backend, normed } = spied();
    const image = prepareImage({ backend, vision, visionFeatures, coverage: [textCoverage()] });
    for (const text of questions) await image.select({ text, budget });
    expect(normed.filter((name) => name === 'vision')).toHaveLength(1);
    image.dispose();
  });

  it('computes the norms of one tensor under two names once', async () => {
    const { backend, normed } = spied();
    const image = prepareImage({ backend, vision });
    for (const text of questions) await image.select({ text, budget });
    expect(normed.filter((name) => name !== 'text')).toEqual(['vision']);
    image.dispose();
  });

  it('passes known norms to a user’s own term once those of all its inputs are known', async () => {
    const own = defineCoverage({
      name: 'own',
      inputs: { vision: { dims: ['n', 'D'] }, prior: { dims: ['n', 'r'] }, text: { dims: ['m', 'D'] } },
      targets: 'm',
      build: (ops, tensors, _, { norms }) => ({
        affinity: ops.multiply(
          ops.multiply(norms.prior, ops.transpose(norms.text)),
          ops.exp(cosineSimilarity(ops, tensors.vision, tensors.text, norms.vision)),
        ),
      }),
    });
    const options = {
      ...{ vision, visionFeatures, coverage: [textCoverage(), own()] },
      inputs: { prior: map(3, 9) },
    };
    const { backend, normed } = spied();
    const image = prepareImage({ backend, ...options });
    for (const text of questions) {
      const selection = await image.select({ text, budget });
      const separate = await selectTokens({ backend: createReferenceBackend(), ...options, text, budget });
      expect(selection.gains).toEqual(separate.gains);
    }
    // The built-in term knows one of two; the first run of the other computes both.
    expect(normed.filter((name) => name !== 'text')).toEqual(['vision', 'vision', 'prior']);
    image.dispose();
  });

  it('keeps no norms of a run that failed', async () => {
    const { backend, normed } = spied((_, run) => run === 1);
    const image = prepareImage({ backend, vision, visionFeatures, coverage: [textCoverage()] });
    const [text] = questions as [(typeof questions)[number]];
    const wrong = { ...text, data: text.data.map(() => Number.NaN) };
    await expect(image.select({ text, budget })).rejects.toThrow('out of memory');
    await expect(image.select({ text: wrong, budget })).rejects.toThrow("Tensor 'text'");
    expect((await image.select({ text, budget })).order).toHaveLength(7);
    await expect(image.select({ text: wrong, budget })).rejects.toThrow("Tensor 'text'");
    expect(normed.filter((name) => name === 'vision')).toHaveLength(2);
    image.dispose();
  });

  it('answers concurrent questions, and still computes the matrix once', async () => {
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

  it('answers again with other budgets, constraints and searches', async () => {
    const { backend, count } = spied();
    const image = prepareImage({ backend, vision, visionFeatures });
    const [text] = questions;
    const ten = await image.select({ ...(text && { text }), budget: { tokens: 10 } });
    const four = await image.select({ ...(text && { text }), budget: { tokens: 4 }, maximizer: 'naive' });
    expect(four.order).toEqual(prefix(ten, 4).order);
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

  it('a failure is reported to every question that waited for it, and later ones work', async () => {
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
  it('makes the image unusable, and may be called twice', async () => {
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

  it('lets running selections finish with the right result', async () => {
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

  it.each(['after', 'during'] as const)('releases the norms if called %s a selection', async (when) => {
    const { backend, returned } = spied();
    const image = prepareImage({ backend, vision, visionFeatures });
    const [text] = questions as [(typeof questions)[number]];
    const underWay = image.select({ text, budget });
    if (when === 'during') image.dispose();
    await underWay;
    if (when === 'after') {
      expect(await liveOf(returned)).toBe(1);
      image.dispose();
    }
    await expect.poll(() => liveOf(returned)).toBe(0);
    expect(image.visionTokens).toBe(30);
  });

  it('works if nothing was computed or the computation failed', async () => {
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

  it('that are not finite are rejected by the first selection at the latest', async () => {
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
