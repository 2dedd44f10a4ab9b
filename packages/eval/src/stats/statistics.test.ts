// The bootstrap: its exact properties, and how often its intervals contain the true value.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meanDifference, retention } from './statistics.js';

const outcomes = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 1 })), {
  minLength: 1,
  maxLength: 60,
});
const split = (pairs: readonly (readonly [number, number])[]) =>
  [pairs.map(([a]) => a), pairs.map(([, b]) => b)] as const;
const few = { resamples: 200 };

test('the estimate is the plain difference, within its interval', () => {
  fc.assert(
    fc.property(outcomes, (pairs) => {
      const [baseline, treatment] = split(pairs);
      const { value, low, high } = meanDifference(baseline, treatment, few);
      const total = (scores: readonly number[]) => scores.reduce((sum, score) => sum + score, 0);
      expect(value).toBeCloseTo((total(treatment) - total(baseline)) / pairs.length, 12);
      expect(low).toBeLessThanOrEqual(high);
      expect(low).toBeGreaterThanOrEqual(-1);
      expect(high).toBeLessThanOrEqual(1);
    }),
  );
});

test('equal scores have a zero-width interval at zero: questions stay paired', () => {
  const scores = [1, 0, 1, 1, 0];
  expect(meanDifference(scores, scores)).toEqual({ value: 0, low: 0, high: 0 });
  expect(retention(scores, scores)).toEqual({ value: 1, low: 1, high: 1 });
});

test('swapping the sides negates the interval', () => {
  const [a, b] = [
    [1, 0, 1, 1, 0, 1, 1],
    [0, 0, 1, 0, 0, 1, 1],
  ];
  const forth = meanDifference(a, b, { resamples: 2001 });
  const back = meanDifference(b, a, { resamples: 2001 });
  expect(back.value).toBe(-forth.value);
  expect(back.low).toBeCloseTo(-forth.high, 12);
  expect(back.high).toBeCloseTo(-forth.low, 12);
});

test('the seed fixes the interval', () => {
  const [a, b] = [
    Array.from({ length: 50 }, (_, i) => i % 3 === 0),
    Array.from({ length: 50 }, (_, i) => i % 2 === 0),
  ].map((marks) => marks.map(Number)) as [number[], number[]];
  expect(meanDifference(a, b, { seed: 1 })).toEqual(meanDifference(a, b, { seed: 1 }));
  expect(meanDifference(a, b, { seed: 1, ...few })).not.toEqual(meanDifference(a, b, { seed: 2, ...few }));
});

test('a 90 % interval contains the true value about nine times in ten', () => {
  // Deterministic noise; the true difference is 0.2.
  let state = 1;
  const uniform = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  let held = 0;
  for (let trial = 0; trial < 300; trial++) {
    const baseline = Array.from({ length: 80 }, () => Number(uniform() < 0.6));
    const treatment = Array.from({ length: 80 }, () => Number(uniform() < 0.8));
    const { low, high } = meanDifference(baseline, treatment, {
      resamples: 300,
      confidence: 0.9,
      seed: trial,
    });
    if (low <= 0.2 && 0.2 <= high) held++;
  }
  expect(held / 300).toBeGreaterThan(0.84);
  expect(held / 300).toBeLessThan(0.96);
});

test('retention is a ratio of means', () => {
  const { value, low, high } = retention([1, 1, 0, 1], [1, 0, 0, 1]);
  expect(value).toBeCloseTo(2 / 3, 12);
  expect(low).toBeGreaterThanOrEqual(0);
  expect(high).toBe(1);
});

describe('refuses', () => {
  test.each([
    ['no scores', [], [], /baseline scores: expected at least one score/],
    ['scores without partner', [1, 0], [1], /2 baseline and 1 treatment/],
    ['NaN', [1, Number.NaN], [1, 1], /baseline scores: 1:/],
  ] as const)('%s', (_, baseline, treatment, message) => {
    expect(() => meanDifference(baseline, treatment)).toThrow(message);
  });

  test('a baseline that scores zero, for retention', () => {
    expect(() => retention([0, 0], [1, 1])).toThrow(/baseline with a mean above 0/);
  });

  test('invalid options', () => {
    expect(() => meanDifference([1], [1], { confidence: 1 })).toThrow(/confidence/);
    expect(() => meanDifference([1], [1], { resamples: 0 })).toThrow(/resamples/);
  });
});
