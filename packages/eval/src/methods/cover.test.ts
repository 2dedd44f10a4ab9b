import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cover, type CoverOptions } from './cover.js';
import type { Matrix } from './matrices.js';

/** The gain of every column, computed from scratch. */
function allGains(
  { data, rows, columns }: Matrix,
  picks: readonly number[],
  options: CoverOptions,
): number[] {
  const { weights, divisor = 1 } = options;
  return Array.from({ length: columns }, (_, j) => {
    let gain = 0;
    for (let i = 0; i < rows; i++) {
      const reached = picks.reduce((most, pick) => Math.max(most, data[i * columns + pick]!), 0);
      const more = data[i * columns + j]! - reached;
      if (more > 0) gain += more / divisor;
    }
    return gain * (weights?.[j] ?? 1);
  });
}

/** The first of the highest gains that is not picked. */
function bestOf(gains: readonly number[], picks: readonly number[]): number {
  return gains.reduce(
    (best, gain, j) => (picks.includes(j) || (best >= 0 && gain <= gains[best]!) ? best : j),
    -1,
  );
}

describe('Cover', () => {
  // Few different values, so that there are many ties.
  const values = fc.constantFrom(-0.5, 0, 0.1, 0.25, 0.3, 1);
  const arbitrary = fc
    .record({ rows: fc.integer({ min: 1, max: 8 }), columns: fc.integer({ min: 1, max: 8 }) })
    .chain(({ rows, columns }) =>
      fc.record({
        matrix: fc
          .array(fc.oneof(values, fc.float({ min: -1, max: 1, noNaN: true })), {
            minLength: rows * columns,
            maxLength: rows * columns,
          })
          .map((data): Matrix => ({ data: Float32Array.from(data), rows, columns })),
        weights: fc.option(
          fc.array(fc.oneof(values, fc.double({ min: -1, max: 2, noNaN: true })), {
            minLength: columns,
            maxLength: columns,
          }),
          { nil: undefined },
        ),
        divisor: fc.constantFrom(1, rows),
        /** Some picks are not the best ones, as when two covers share them. */
        detours: fc.array(fc.boolean(), { minLength: columns, maxLength: columns }),
      }),
    );

  it('picks as if every gain was computed at every step', () => {
    fc.assert(
      fc.property(arbitrary, ({ matrix, weights, divisor, detours }) => {
        const options = { divisor, ...(weights && { weights }) };
        const cover = new Cover(matrix, options);
        const picks: number[] = [];
        for (const isDetour of detours) {
          const gains = allGains(matrix, picks, options);
          const best = cover.best();
          expect(best).toBe(bestOf(gains, picks));
          expect(cover.gainOf(best)).toBe(gains[best]);
          const token = isDetour ? gains.findIndex((_, j) => !picks.includes(j)) : best;
          cover.commit(token);
          picks.push(token);
        }
        expect(cover.best()).toBe(-1);
      }),
      { numRuns: 300 },
    );
  });

  it('adds the gains of its columns up to its value', () => {
    const cover = new Cover(
      { data: Float32Array.of(0.5, 1, -1, 0.25, 0, 1), rows: 2, columns: 3 },
      { divisor: 2 },
    );
    expect([0, 1, 2].map((column) => cover.gainOf(column))).toEqual([0.375, 0.5, 0.5]);
    cover.commit(0);
    expect(cover.value).toBe(0.375);
    expect([0, 1, 2].map((column) => cover.gainOf(column))).toEqual([0, 0.25, 0.375]);
    cover.commit(2);
    expect(cover.value).toBe(0.75);
  });
});
