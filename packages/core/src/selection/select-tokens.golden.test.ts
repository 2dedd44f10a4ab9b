// Golden selections: twenty of the official implementation, and those on features given by a formula.

import { describe, expect, it } from 'vitest';
import { formulaCases, formulaInputs } from '../../test/formula-features.js';
import { greedyByDefinition, paperMatrix, type Rows } from '../../test/paper-oracle.js';
import { backend } from '../../test/table-case.js';
import type { Float32Tensor } from '../backend/tensor.js';
import { textCoverage, visionCoverage } from '../coverage/terms.js';
import { officialSelections } from '../testing/official-selections.js';
import { officialInputs } from '../testing/synthetic-features.js';
import { prepareImage, selectTokens } from './select-tokens.js';
import { prefix, type Selection } from './selection.js';

const first = (count: number): number[] => Array.from({ length: count }, (_, j) => j);
const ascending = (order: readonly number[]): number[] => order.toSorted((a, b) => a - b);

function expectRelative(actual: number, wanted: number, tolerance: number): void {
  expect(Math.abs(actual / wanted - 1), `${actual} against ${wanted}`).toBeLessThan(tolerance);
}

const rowsOf = ({ data, dims }: Float32Tensor): Rows => {
  const [n, d] = dims as readonly [number, number];
  return Array.from({ length: n }, (_, i) => [...data.subarray(i * d, (i + 1) * d)]);
};

describe('the official implementation’s selections', () => {
  it('there are twenty of them', () => expect(officialSelections).toHaveLength(20));

  it.each(officialSelections.map((official, at) => [at + 1, official] as const))(
    'number %i comes out exactly, in set, order and value, by lazy and naive greedy',
    async (_, official) => {
      const { text, ...features } = officialInputs(official);
      const image = prepareImage({
        backend,
        ...features,
        coverage: [
          textCoverage({ temperature: official.textTemperature }),
          visionCoverage({ temperature: official.visionTemperature, weight: official.alpha }),
        ],
      });
      for (const maximizer of ['lazy', 'naive'] as const) {
        const selection = await image.select({
          text,
          maximizer,
          budget: { tokens: official.budget },
          constraints: { exclude: first(official.excludedFirst) },
        });
        expect(selection.indices).toEqual(official.officialIndices);
        expect(selection.order).toEqual(official.float64Order);
        expect(selection.reason).toBe('pruned');
        // The middle pick is the one with index ⌊budget / 2⌋ in the order.
        const middle = Math.floor(official.budget / 2) + 1;
        const [afterFirst, afterMiddle, afterLast] = official.float64Coverage;
        expectRelative(prefix(selection, 1).value, afterFirst, 1e-6);
        expectRelative(prefix(selection, middle).value, afterMiddle, 1e-6);
        expectRelative(selection.value, afterLast, 1e-6);
      }
      image.dispose();
    },
  );
});

describe('formula features', () => {
  const settings = formulaCases.map(
    (each) => [`n=${each.n} with ${each.excludedFirst} excluded`, each] as const,
  );

  it.each(settings)('%s: pick order and values', async (_, golden) => {
    const { text, ...features } = formulaInputs(golden);
    const image = prepareImage({ backend, ...features });
    const runs: Selection[] = [];
    for (const maximizer of ['lazy', 'naive'] as const) {
      const selection = await image.select({
        text,
        maximizer,
        budget: { tokens: golden.order.length },
        constraints: { exclude: first(golden.excludedFirst) },
      });
      expect(selection.order).toEqual(golden.order);
      expect(selection.indices).toEqual(ascending(golden.order));
      if (golden.values) {
        expectRelative(selection.gains[0] as number, golden.values[0], 1e-6);
        expectRelative(selection.value, golden.values[1], 1e-6);
      }
      runs.push(selection);
    }
    expect(runs[1]?.gains).toEqual(runs[0]?.gains);
  });

  it('agree with the paper’s equations in doubles, value by value', async () => {
    const golden = formulaCases[0] as (typeof formulaCases)[number];
    const inputs = formulaInputs(golden);
    const matrix = paperMatrix({
      vision: rowsOf(inputs.vision),
      visionFeatures: rowsOf(inputs.visionFeatures),
      text: rowsOf(inputs.text),
    });
    const wanted = greedyByDefinition(matrix, golden.n, 20);
    expect(wanted.smallestGap).toBeGreaterThan(1e-5);
    const selection = await selectTokens({ backend, ...inputs, budget: { tokens: 20 } });
    expect(selection.order).toEqual(wanted.order);
    wanted.values.forEach((value, pick) => {
      expectRelative(prefix(selection, pick + 1).value, value, 1e-6);
    });
  });
});
