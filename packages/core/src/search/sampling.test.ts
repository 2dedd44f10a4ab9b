// Sampled coverage: the reported error is reliable, also for content that an even sample would miss, from the smallest sample on.

import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference-backend.js';
import { visionCoverage } from '../coverage/terms.js';
import { selectTokens } from '../selection/select-tokens.js';
import { createRandom, drawByImportance, drawEvenly, standardError } from './sampling.js';

const backend = createReferenceBackend();
const [n, d, temperature] = [400, 6, 0.2];

/** The center that token i is near, if any. */
type Content = (i: number, random: () => number) => number | undefined;
const contents: Readonly<Record<string, Content>> = {
  'without structure': () => undefined,
  'in 30 clusters': (i) => i % 30,
  'in clusters of Zipf sizes': (_, random) => Math.min(29, Math.floor(1 / (random() + 0.03) - 0.9)),
  'with one odd token in 40': (i) => (i % 40 === 0 ? undefined : 0),
  'with one odd token in 100': (i) => (i % 100 === 0 ? undefined : 0),
  'flat, with a few objects': (_, random) => (random() < 0.9 ? 0 : 1 + Math.floor(random() * 20)),
};

function features(contentOf: Content, seed: number): number[][] {
  const random = createRandom(seed);
  const gauss = (): number => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
  const centers = Array.from({ length: 30 }, () => Array.from({ length: d }, gauss));
  return Array.from({ length: n }, (_, i) => {
    const center = centers[contentOf(i, random) ?? -1];
    return Array.from({ length: d }, (__, k) =>
      center === undefined ? gauss() : (center[k] as number) + 0.25 * gauss(),
    );
  });
}

/** Coverage by the formula: Σᵢ maxⱼ E_ij / Z_i over the kept j, as a share of that over all j. */
function exactCoverage(rows: readonly number[][], kept: readonly number[]): number {
  const units = rows.map((row) => {
    const norm = Math.hypot(...row);
    return row.map((value) => value / norm);
  });
  let [covered, full] = [0, 0];
  for (const a of units) {
    const kernel = units.map((b) =>
      Math.exp((a.reduce((dot, value, k) => dot + value * (b[k] as number), 0) - 1) / temperature),
    );
    const total = kernel.reduce((sum, value) => sum + value, 0);
    covered += Math.max(...kept.map((j) => kernel[j] as number)) / total;
    full += Math.max(...kernel) / total;
  }
  return covered / full;
}

describe.each(Object.entries(contents))('%s', (_, contentOf) => {
  it.each([32, 128])(
    'with %d targets the true coverage is inside 1.96 stated errors in 9 of 10 runs',
    async (targets) => {
      const runs = 20;
      let inside = 0;
      let stated = 0;
      for (let seed = 0; seed < runs; seed++) {
        const vision = features(contentOf, seed + targets);
        const { indices, coverage, coverageError } = await selectTokens({
          ...{ backend, vision, budget: { tokens: 16 } },
          coverage: [visionCoverage({ temperature, sample: { targets, seed } })],
        });
        const error = coverageError.vision as number;
        const miss = (coverage.vision as number) - exactCoverage(vision, indices);
        if (Math.abs(miss) <= 1.96 * error) inside++;
        stated += error / runs;
      }
      expect(inside).toBeGreaterThanOrEqual(0.9 * runs);
      // A huge error would contain the true value too.
      expect(stated).toBeLessThan(1 / Math.sqrt(targets));
    },
  );
});

describe('draws', () => {
  it('represent all targets on average', () => {
    const importance = Float64Array.from({ length: 200 }, (_, j) => (j % 20 === 0 ? 50 : 1));
    const values = Array.from({ length: 200 }, (_, j) => Math.sin(j) + 2);
    const total = values.reduce((sum, value) => sum + value, 0);
    for (const draw of [
      (seed: number) => drawEvenly(200, 40, seed),
      (seed: number) => drawByImportance(importance, 40, seed),
    ]) {
      let mean = 0;
      for (let seed = 0; seed < 500; seed++) {
        const { indices, factors } = draw(seed);
        indices.forEach((j, i) => {
          mean += ((values[j] as number) * (factors[i] as number)) / 500;
        });
      }
      expect(mean / total).toBeCloseTo(1, 1);
    }
  });

  it('by importance include the important targets, and others too', () => {
    const importance = Float64Array.from({ length: 1000 }, (_, j) => (j < 10 ? 100 : 0));
    const { indices } = drawByImportance(importance, 64, 1);
    expect(new Set(indices.filter((j) => j < 10)).size).toBe(10);
    expect(indices.filter((j) => j >= 10).length).toBeGreaterThan(20);
    expect(drawByImportance(new Float64Array(50), 32, 0).factors).toEqual(new Float32Array(32).fill(50 / 32));
  });

  it('that all agree still have an error, which shrinks with more draws', () => {
    const error = (count: number) =>
      standardError(new Float32Array(count).fill(1), new Float32Array(count).fill(1));
    expect(error(32)).toBeGreaterThan(0.03);
    expect(error(320)).toBeCloseTo(error(32) / 10, 6);
    expect(standardError([], [])).toBe(0);
  });
});
