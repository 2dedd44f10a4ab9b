import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankTiles } from './rank-tiles.js';
import { tileRelevance } from './tile-relevance.js';

const TOKENS = 16;

/** Cosines `[16, words.length]`: each word matches the tokens it lists by 0.5 more than the others. */
function cosinesOf(words: readonly (readonly number[])[]): number[] {
  return Array.from({ length: TOKENS }, (_, token) =>
    words.map((shownAt) => (shownAt.includes(token) ? 0.6 : 0.1)),
  ).flat();
}

const everywhere = Array.from({ length: TOKENS }, (_, token) => token);

describe('tileRelevance', () => {
  it('is 1 where a word stands out, however many other words match everything or nothing', () => {
    fc.assert(
      fc.property(fc.nat(TOKENS - 1), fc.nat(6), fc.nat(6), (place, all, none) => {
        const words = [...new Array(all).fill(everywhere), [place], ...new Array(none).fill([])];
        const relevance = tileRelevance(cosinesOf(words), words.length);
        expect(Array.from(relevance)).toEqual(everywhere.map((token) => (token === place ? 1 : 0)));
      }),
    );
  });

  it('finds the places of all words', () => {
    const relevance = tileRelevance(cosinesOf([[3], [12]]), 2);
    expect(everywhere.filter((token) => relevance[token] === 1)).toEqual([3, 12]);
  });

  it('is 0 if every word matches all of the image, most of it, or nothing', () => {
    const most = everywhere.slice(3);
    for (const words of [[everywhere], [most], [[]], [everywhere, most, []]])
      expect(Array.from(tileRelevance(cosinesOf(words), words.length))).toEqual(new Array(TOKENS).fill(0));
  });

  it('is 0 for equal cosines with rounding errors', () => {
    const cosines = everywhere.map((token) => 0.5 + (token === 7 ? 1e-8 : 0));
    expect(Math.max(...tileRelevance(cosines, 1))).toBe(0);
  });

  it('lies between 0 and 1 and depends on neither the scale nor the offset of a word, nor on their order', () => {
    const cosines = fc.array(
      fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(
        cosines,
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (columns, scale, shift) => {
          // Columns that are equal but for rounding are scaled below the least deviation.
          fc.pre(columns.every((own) => Math.max(...own) - Math.min(...own) > 0.01));
          const rows = (own: readonly (readonly number[])[]): number[] =>
            everywhere.flatMap((token) => own.map((column) => column[token] as number));
          const relevance = tileRelevance(rows(columns), columns.length);
          for (const one of relevance) {
            expect(one).toBeGreaterThanOrEqual(0);
            expect(one).toBeLessThanOrEqual(1);
          }
          const changed = columns.map((own) => own.map((cosine) => cosine * scale + shift)).reverse();
          tileRelevance(rows(changed), columns.length).forEach((one, token) => {
            expect(one).toBeCloseTo(relevance[token] as number, 4);
          });
        },
      ),
    );
  });

  it('makes a question about a thing in one tile pick that tile, among equally detailed ones', () => {
    fc.assert(
      fc.property(fc.nat(TOKENS - 1), fc.nat(5), (place, others) => {
        const words = [...new Array(others).fill(everywhere), [place]];
        const relevance = tileRelevance(cosinesOf(words), words.length);
        const { order } = rankTiles({
          grid: [4, 4],
          overview: [4, 4],
          detail: everywhere.map(() => 1),
          relevance,
        });
        expect(order[0]).toBe(place);
      }),
    );
  });

  it.each([2, 3, 4, 6])('finds the only one of %i tokens that a word names', (tokens) => {
    const cosines = Array.from({ length: tokens }, (_, token) => (token === 1 ? 0.3 : 0.2));
    expect(Array.from(tileRelevance(cosines, 1))).toEqual(cosines.map((cosine) => (cosine === 0.3 ? 1 : 0)));
  });

  it('is 0 for a single token', () => {
    expect(Array.from(tileRelevance([0.3, 0.2], 2))).toEqual([0]);
  });

  it('rejects cosines that do not fill their rows', () => {
    expect(() => tileRelevance([1, 2, 3], 2)).toThrow(/cosines.*multiple of 2/);
  });
});
