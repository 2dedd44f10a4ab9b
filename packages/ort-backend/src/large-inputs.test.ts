// Tens of thousands of vision tokens: the exact path rejects them; sampled targets work, and their standard error holds.

import { readFileSync, writeFileSync } from 'node:fs';
import { platform } from 'node:process';
import {
  cosineSimilarity,
  defineCoverage,
  type Float32Tensor,
  prepareImage,
  selectTokens,
  stochasticGreedy,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { syntheticFeatures, syntheticText } from '@mmtok/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrtBackend } from './index.js';

type Backend = Awaited<ReturnType<typeof createOrtBackend>>;

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend();
});
afterAll(() => backend.dispose());

const image = (height: number, width: number, dims: readonly [visual: number, language: number]) => {
  const map = { height, width, clusters: 12, noise: 0.5, common: 0.7 };
  const vision = syntheticFeatures({ ...map, dim: dims[1], seed: 1 });
  const visionFeatures = syntheticFeatures({ ...map, dim: dims[0], seed: 2 });
  return { vision, visionFeatures, text: syntheticText(vision, 12, 3) };
};

describe('2,880 tokens with sampled targets', () => {
  const inputs = image(48, 60, [64, 96]);
  const budget = { tokens: 160 };

  /** The exact objective's value and vision coverage of any tokens. */
  const measured = async (indices: readonly number[]): Promise<{ value: number; vision: number }> => {
    const { value, coverage } = await selectTokens({
      ...inputs,
      backend,
      budget: { tokens: indices.length },
      constraints: { include: indices },
    });
    return { value, vision: coverage.vision as number };
  };

  it('come close to the exact selection, and closer with more targets', async () => {
    const exact = await selectTokens({ ...inputs, backend, budget });
    const shares: number[] = [];
    for (const targets of [128, 512, 2048]) {
      const coverage = [textCoverage(), visionCoverage({ sample: { targets } })];
      const { indices } = await selectTokens({ ...inputs, backend, budget, coverage });
      shares.push((await measured(indices)).value / exact.value);
    }
    expect(shares[0]).toBeGreaterThan(0.97);
    expect(shares[1]).toBeGreaterThan(0.985);
    expect(shares[2]).toBeGreaterThan(0.995);
  });

  it('report a standard error that the true coverage confirms', async () => {
    // Greedy overfits its sample, so coverage must be measured on another one.
    const deviations: number[] = [];
    for (let seed = 0; seed < 20; seed++) {
      const { indices, coverage, coverageError } = await selectTokens({
        ...inputs,
        backend,
        budget,
        coverage: [visionCoverage({ sample: { targets: 256, seed } })],
      });
      const { vision } = await measured(indices);
      deviations.push(((coverage.vision as number) - vision) / (coverageError.vision as number));
    }
    const rms = Math.sqrt(deviations.reduce((sum, each) => sum + each ** 2, 0) / deviations.length);
    expect(rms).toBeGreaterThan(0.5);
    expect(rms).toBeLessThan(1.6);
  });

  it('reach the requested coverage', async () => {
    const { indices, coverage, reason } = await selectTokens({
      ...inputs,
      backend,
      budget: { coverage: 0.6 },
      coverage: [visionCoverage({ sample: { targets: 256 } })],
    });
    expect(reason).toBe('coverageReached');
    expect(coverage.vision).toBeGreaterThanOrEqual(0.6);
    expect((await measured(indices)).vision).toBeGreaterThan(0.55);
  });

  it('are rejected by the search on the device', async () => {
    const coverage = [visionCoverage({ sample: { targets: 256 } })];
    const act = selectTokens({ ...inputs, backend, budget, coverage, maximizer: 'device' });
    await expect(act).rejects.toThrow("the term 'vision' samples them; use the maximizer 'lazy'");
  });

  it('are the exact selection when all targets are drawn', async () => {
    const coverage = [textCoverage(), visionCoverage({ sample: { targets: 5000 } })];
    const sampled = await selectTokens({ ...inputs, backend, budget, coverage });
    const exact = await selectTokens({ ...inputs, backend, budget });
    expect(sampled.order).toEqual(exact.order);
    expect(sampled.coverageError).toEqual({ vision: 0 });
  });

  it('work with the stochastic search', async () => {
    const exact = await selectTokens({ ...inputs, backend, budget });
    const { indices } = await selectTokens({ ...inputs, backend, budget, maximizer: stochasticGreedy() });
    expect(new Set(indices).size).toBe(160);
    expect((await measured(indices)).value / exact.value).toBeGreaterThan(0.95);
  });

  it('are only slightly more with the stochastic search for the same coverage', async () => {
    for (const share of [0.5, 0.8]) {
      const asked = { ...inputs, backend, budget: { coverage: share } };
      const exact = await selectTokens(asked);
      const drawn = await selectTokens({ ...asked, maximizer: stochasticGreedy() });
      expect(drawn.indices.length).toBeLessThanOrEqual(1.25 * exact.indices.length + 2);
    }
  });
});

/** The highest memory use of this process since {@link resetPeak}, in bytes. Linux only. */
const peakMemory = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
const resetPeak = (): void => writeFileSync('/proc/self/clear_refs', '5');
/** Containers may lack the file, or forbid to write it. */
const canMeasurePeak = ((): boolean => {
  if (platform !== 'linux') return false;
  try {
    resetPeak();
    return peakMemory() > 0;
  } catch {
    return false;
  }
})();

describe.runIf(canMeasurePeak)('the memory that a matrix takes at its peak', () => {
  // Few columns, so that tensors hardly count.
  const inputs = image(80, 50, [16, 16]);
  const bytes = 4000 ** 2 * 4;
  // The formula of the paper: its softmax needs all candidates, so it cannot be computed in pieces.
  const own = defineCoverage({
    name: 'own',
    inputs: { visionFeatures: { dims: ['n', 'd'] } },
    targets: 'n',
    build: (ops, { visionFeatures: x }, _, { norms }) => {
      const cosines = cosineSimilarity(ops, x, x, norms.visionFeatures);
      return { affinity: ops.softmax(ops.divide(cosines, ops.scalar(0.2)), 0) };
    },
  });
  const orders: (readonly number[])[] = [];
  /** What the test runner and the engine may allocate meanwhile, a quarter of the matrix. */
  const OTHER_MEMORY = bytes / 4;

  it.each([
    ['in pieces', visionCoverage(), 'lazy'],
    ['with a focus', visionCoverage({ focus: 4 }), 'lazy'],
    ['on the device', visionCoverage(), 'device'],
    ['of your own term', own(), 'lazy'],
    ['of your own term on the device', own(), 'device'],
  ] as const)('%s is at most 2.5 times the matrix', async (_, term, maximizer) => {
    const request = { ...inputs, budget: { tokens: 8 }, coverage: [term], maximizer };
    const limit = 2.5 * bytes + OTHER_MEMORY;
    // The engine collects garbage when it likes, sometimes only after the next matrix is allocated. So the smallest of three peaks counts.
    let [peak, order]: [number, readonly number[]] = [Number.POSITIVE_INFINITY, []];
    for (let attempt = 0; attempt < 3 && peak >= limit; attempt++) {
      const fresh = await createOrtBackend();
      resetPeak();
      const before = process.memoryUsage.rss();
      order = (await selectTokens({ ...request, backend: fresh })).order;
      peak = Math.min(peak, peakMemory() - before);
      await fresh.dispose();
    }
    expect(peak).toBeLessThan(limit);
    if (term.parameters.focus === undefined) orders.push(order);
  });

  it('does not change what is selected', () => {
    expect(orders).toHaveLength(4);
    for (const order of orders) expect(order).toEqual(orders[0]);
  });
});

describe('20,000 tokens', () => {
  const inputs = image(100, 200, [128, 192]);

  it('are rejected by the exact path, with a hint to sample', async () => {
    const act = selectTokens({ ...inputs, backend, budget: { tokens: 500 } });
    await expect(act).rejects.toMatchObject({ code: 'MMTOK_MATRIX_TOO_LARGE', bytes: 20_000 ** 2 * 4 });
    await expect(act).rejects.toThrow(
      'Sample its targets: give the term the option sample: { targets: 2048 }',
    );
  });

  it('are selected from within 2 GB', async () => {
    const coverage = [textCoverage(), visionCoverage({ sample: { targets: 2048 } })];
    const selection = await selectTokens({ ...inputs, backend, budget: { tokens: 500 }, coverage });
    expect(new Set(selection.indices).size).toBe(500);
    expect(selection.coverageError.vision).toBeGreaterThan(0);
    expect(selection.coverageError.vision).toBeLessThan(0.02);
    // Peak memory of this whole process, the test runner and all tensors included.
    expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(2e9);
  });

  it('answer several questions about an image prepared once', async () => {
    const coverage = [textCoverage(), visionCoverage({ sample: { targets: 1024 } })];
    const { text, ...vision } = inputs;
    const prepared = prepareImage({ ...vision, backend, coverage });
    const other: Float32Tensor = syntheticText(inputs.vision, 5, 9);
    const first = await prepared.select({ text, budget: { tokens: 50 } });
    const second = await prepared.select({ text: other, budget: { tokens: 50 } });
    expect(second.order).not.toEqual(first.order);
    prepared.dispose();
  });
});

describe('a matrix that is computed piece by piece', () => {
  const inputs = image(50, 60, [16, 24]);

  it('gives the same selection as the whole, from small pieces', async () => {
    const budget = { tokens: 60 };
    const sizes: number[] = [];
    const watched: Backend = {
      name: backend.name,
      device: backend.device,
      precision: backend.precision,
      dispose: () => backend.dispose(),
      run: async (program, tensors, options) => {
        const outputs = await backend.run(program, tensors, options);
        for (const { data } of Object.values<{ data: ArrayLike<number> }>(outputs)) sizes.push(data.length);
        return outputs;
      },
    };
    // The formula of the paper, which cannot be computed in pieces.
    const whole = defineCoverage({
      name: 'vision',
      inputs: { visionFeatures: { dims: ['n', 'd'] } },
      targets: 'n',
      nonNegative: true,
      build: (ops, { visionFeatures: x }, _, { norms }) => {
        const cosines = cosineSimilarity(ops, x, x, norms.visionFeatures);
        return { affinity: ops.softmax(ops.divide(cosines, ops.scalar(0.2)), 0) };
      },
    });
    // Half of a kernel that does not depend on the question is computed.
    for (const [second, part] of [
      [visionCoverage(), 0.5],
      [visionCoverage({ focus: 2 }), 1],
    ] as const) {
      sizes.length = 0;
      const coverage = [textCoverage(), second];
      const selection = await selectTokens({ ...inputs, backend: watched, budget, coverage });
      expect(Math.max(...sizes)).toBeLessThanOrEqual(3000 ** 2 / 25);
      const computed = sizes.reduce((total, size) => total + size) / 3000 ** 2;
      expect(computed).toBeGreaterThan(part);
      expect(computed).toBeLessThan(part + 0.1);
      expect(selection.optimality).toBeGreaterThan(0.9);
      if (second.parameters.focus !== undefined) continue;
      const expected = await selectTokens({
        ...{ ...inputs, backend, budget },
        coverage: [textCoverage(), whole({ weight: 0.5 })],
      });
      expect(selection.order).toEqual(expected.order);
      expect(selection.value).toBeCloseTo(expected.value, 4);
      expect(selection.coverage.vision).toBeCloseTo(expected.coverage.vision as number, 4);
    }
  });

  it('reports the memory needed if the ceiling is too low', async () => {
    const act = selectTokens({ ...inputs, backend, budget: { tokens: 60 }, maxMatrixBytes: 2 ** 25 });
    await expect(act).rejects.toThrow(/3000 × 3000 floats \(0\.03 GiB, and up to 0\.08 GiB.*0\.03 GiB/);
  });
});
