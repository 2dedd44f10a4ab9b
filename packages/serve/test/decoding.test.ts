import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNucleus } from '../src/engines/decoding.js';

const scores = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 50 });
const share = fc.double({ min: 0.01, max: 1, noNaN: true });
const process = (topP: number, rows: readonly (readonly number[])[]): Float32Array => {
  const data = Float32Array.from(rows.flat());
  return createNucleus(topP)([], { data, dims: [rows.length, rows[0]?.length ?? 0] }).data;
};

test('keeps the smallest set of most probable tokens that reaches topP', () => {
  fc.assert(
    fc.property(scores, share, (row, topP) => {
      const given = Float32Array.from(row);
      const kept = [...process(topP, [row]).keys()].filter(
        (token) => process(topP, [row])[token] !== -Infinity,
      );
      const total = given.reduce((sum, score) => sum + Math.exp(score), 0);
      const mass = (tokens: readonly number[]): number =>
        tokens.reduce((sum, token) => sum + Math.exp(given[token] as number), 0) / total;
      expect(kept.length).toBeGreaterThan(0);
      expect(mass(kept)).toBeGreaterThanOrEqual(topP - 1e-6);
      const least = Math.min(...kept.map((token) => given[token] as number));
      const above = kept.filter((token) => (given[token] as number) > least);
      expect(mass(above)).toBeLessThan(topP + 1e-6);
      for (const [token, score] of given.entries()) expect(kept.includes(token)).toBe(score >= least);
    }),
  );
});

test('each prompt of a batch has its own set', () => {
  const kept = process(0.9, [
    [10, 0, 0],
    [0, 1, 1],
  ]);
  expect([...kept]).toEqual([10, -Infinity, -Infinity, 0, 1, 1]);
});
