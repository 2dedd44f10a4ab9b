// Cosine similarity, relevance and peakedness against values worked out by hand.

import { describe, expect, it } from 'vitest';
import { referenceOps as ops, type ReferenceTensor } from './backend/reference-backend.js';
import { columnPeakedness, cosineSimilarity, relevance } from './similarity.js';

const matrix = (...rows: readonly (readonly number[])[]): ReferenceTensor => ({
  dims: [rows.length, rows[0]?.length ?? 0],
  data: Float64Array.from(rows.flat()),
});

function expectValues(actual: ReferenceTensor, dims: readonly number[], values: readonly number[]): void {
  expect(actual.dims).toEqual(dims);
  values.forEach((value, i) => {
    expect(actual.data[i]).toBeCloseTo(value, 12);
  });
}

describe('cosineSimilarity', () => {
  it('is the cosine of every pair, whatever the lengths; a zero row has cosine 0 with every row', () => {
    const a = matrix([2, 0], [0, 0], [3, 4]);
    const b = matrix([0, 5], [-3, 0]);
    expectValues(cosineSimilarity(ops, a, b), [3, 2], [0, -1, 0, 0, 0.8, -0.6]);
  });

  it('uses known norms unchanged', () => {
    const [a, b] = [matrix([3, 4]), matrix([0, 5])];
    expectValues(cosineSimilarity(ops, a, b, matrix([8])), [1, 1], [0.5]);
  });
});

describe('relevance', () => {
  const vision = matrix([2, 0], [0, 3], [4, 4], [0, 0]);
  // Exact, where rowNorms would round to single precision.
  const norms = matrix([2], [3], [4 * Math.SQRT2], [0]);
  const of = (...text: readonly (readonly number[])[]) => relevance(ops, vision, matrix(...text), norms);

  it('is the mean cosine with the words, whatever their lengths, from 0 for the lowest to 1 for the highest', () => {
    // Mean cosines: (1 − 0.6) / 2 = 0.2, 0.4, 0.3 · √2 and, for the zero row, 0.
    expectValues(of([5, 0], [-3, 4]), [4, 1], [0.2 / (0.3 * Math.SQRT2), 0.4 / (0.3 * Math.SQRT2), 1, 0]);
    expectValues(of([0, -1]), [4, 1], [1, 0, 1 - Math.SQRT1_2, 1]);
  });

  it('is 0 for all tokens if none is more relevant than another', () => {
    expectValues(of([0, 0]), [4, 1], [0, 0, 0, 0]);
    expectValues(of([1, 1], [-1, -1]), [4, 1], [0, 0, 0, 0]);
  });
});

describe('columnPeakedness', () => {
  it('is 1 for a column that points at one candidate, 0 for a flat one', () => {
    const p = matrix([1, 0.25, 0.5], [0, 0.25, 0.5], [0, 0.25, 0], [0, 0.25, 0]);
    expectValues(columnPeakedness(ops, p), [1, 3], [1, 0, 0.5]);
  });

  it('is 1 if there is only one candidate', () => {
    expectValues(columnPeakedness(ops, matrix([1, 1])), [1, 2], [1, 1]);
  });
});
