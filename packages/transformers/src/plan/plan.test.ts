import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallSize, type CostSample, fitCosts, type PhaseCosts, phaseTimes, totalMs } from './costs.js';
import { makePlan } from './make-plan.js';
import { measureCosts, type Probe } from './profile.js';

/** Costs of a simulated machine that matches the cost model exactly. */
const COSTS: PhaseCosts = {
  processMs: [2, 0.01],
  encodeMs: [1, 0.5, 0.0004],
  selectMs: [0.4, 0.00001, 0.0003],
  prefillMs: [5, 0.2, 0.0001],
};

const coefficient = fc.double({ min: 0.001, max: 5, noNaN: true });
const costs: fc.Arbitrary<PhaseCosts> = fc.record({
  processMs: fc.tuple(coefficient, coefficient),
  encodeMs: fc.tuple(coefficient, coefficient, coefficient),
  selectMs: fc.tuple(coefficient, coefficient, coefficient),
  prefillMs: fc.tuple(coefficient, coefficient, coefficient),
});

describe('fitCosts', () => {
  it('finds the costs behind exact times, also for sizes between and beyond', () => {
    const sizes = [32, 64, 128, 512, 1024].flatMap((encodedTokens) =>
      [1 / 16, 1 / 3].map(
        (share): CallSize => ({
          visionTokens: encodedTokens,
          encodedTokens,
          keptTokens: Math.round(encodedTokens * share),
          textTokens: 30,
        }),
      ),
    );
    const fitted = fitCosts(sizes.map((size): CostSample => ({ size, times: phaseTimes(COSTS, size) })));
    for (const n of [50, 300, 1500]) {
      const size = { visionTokens: n, encodedTokens: n, keptTokens: Math.round(n / 5), textTokens: 30 };
      const expected = totalMs(phaseTimes(COSTS, size));
      expect(Math.abs(totalMs(phaseTimes(fitted, size)) - expected) / expected).toBeLessThan(0.03);
    }
  });

  it('never lets more tokens cost less, whatever was measured', () => {
    const sample = fc.record({
      size: fc.record({
        visionTokens: fc.integer({ min: 1, max: 3000 }),
        encodedTokens: fc.integer({ min: 1, max: 3000 }),
        keptTokens: fc.integer({ min: 1, max: 3000 }),
        textTokens: fc.integer({ min: 0, max: 200 }),
      }),
      times: fc.record({
        processMs: fc.double({ min: 0, max: 1e4, noNaN: true }),
        encodeMs: fc.double({ min: 0, max: 1e4, noNaN: true }),
        selectMs: fc.double({ min: 0, max: 1e4, noNaN: true }),
        prefillMs: fc.double({ min: 0, max: 1e4, noNaN: true }),
      }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 8 }), (samples) => {
        const fitted = fitCosts(samples);
        for (const one of Object.values(fitted).flat()) {
          expect(one).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(one)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('makePlan', () => {
  const choices = {
    visionTokens: [1088, 544, 272],
    tiles: 17,
    leastTiles: 1,
    images: 1,
    textTokens: 40,
  };

  it('is the best of all plans in time, or the cheapest where there is none', () => {
    const few = { visionTokens: [24, 12], tiles: 3, leastTiles: 1, images: 1, textTokens: 4 };
    const all = few.visionTokens.flatMap((visionTokens) =>
      [1, 2, 3].flatMap((tiles) => {
        const encodedTokens = (visionTokens * tiles) / 3;
        return Array.from({ length: encodedTokens }, (_, at): CallSize => {
          return { visionTokens, encodedTokens, keptTokens: at + 1, textTokens: 4 };
        });
      }),
    );
    fc.assert(
      fc.property(costs, fc.double({ min: 0.01, max: 2e4, noNaN: true }), (given, firstTokenMs) => {
        const plan = makePlan(given, few, { firstTokenMs });
        const timed = all.map((size) => ({ ...size, ms: totalMs(phaseTimes(given, size)) }));
        const inTime = timed.filter(({ ms }) => ms <= firstTokenMs);
        expect(plan.isFeasible).toBe(inTime.length > 0);
        if (plan.isFeasible) {
          expect(plan.predictedMs).toBeLessThanOrEqual(firstTokenMs);
          const most = Math.max(...inTime.map((one) => one.encodedTokens * one.keptTokens));
          expect(plan.encodedTokens * plan.keptTokens).toBe(most);
        } else expect(plan.predictedMs).toBeCloseTo(Math.min(...timed.map(({ ms }) => ms)), 9);
      }),
    );
  });

  it('never does less with more time', () => {
    const time = fc.double({ min: 1, max: 3000, noNaN: true });
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)].map((firstTokenMs) =>
          makePlan(COSTS, choices, { firstTokenMs }),
        );
        if (less === undefined || more === undefined || !less.isFeasible) return;
        expect(more.encodedTokens * more.keptTokens).toBeGreaterThanOrEqual(
          less.encodedTokens * less.keptTokens,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('does all there is where there is time for it', () => {
    expect(makePlan(COSTS, choices, { firstTokenMs: 1e6 })).toMatchObject({
      visionTokens: 1088,
      tiles: 17,
      encodedTokens: 1088,
      keptTokens: 1088,
      isFeasible: true,
    });
  });

  it('leaves out tiles rather than tokens where the encoder is what costs', () => {
    const plan = makePlan(COSTS, { ...choices, visionTokens: [1088] }, { firstTokenMs: 400 });
    expect(plan.tiles).toBeLessThan(10);
    expect(plan.keptTokens).toBeGreaterThan(plan.encodedTokens / 4);
  });

  it('counts what was spent, and what calls have taken longer of late', () => {
    const calm = makePlan(COSTS, choices, { firstTokenMs: 300 });
    expect(makePlan(COSTS, choices, { firstTokenMs: 300, drift: 2 }).encodedTokens).toBeLessThan(
      calm.encodedTokens,
    );
    const late = makePlan(COSTS, choices, { firstTokenMs: 300, spentMs: 299 });
    expect(late.isFeasible).toBe(false);
    expect(late.predictedMs).toBeGreaterThan(299);
  });
});

describe('measureCosts', () => {
  /** A probe of a machine whose clock shows the given costs, times a factor that varies from call to call. */
  function fakeProbe(noise: (call: number) => number): { readonly probe: Probe; readonly calls: number[] } {
    const calls: number[] = [];
    const sizes = [64, 576, 1088].map((encodedTokens) => ({ visionTokens: 1088, encodedTokens }));
    return {
      calls,
      probe: {
        sizes,
        async run(at, share, isEncoded) {
          calls.push(at);
          const own = sizes[at] as (typeof sizes)[number];
          const size = { ...own, keptTokens: Math.round(own.encodedTokens * share), textTokens: 40 };
          const times = phaseTimes(COSTS, size);
          const factor = noise(calls.length);
          return {
            size,
            times: {
              processMs: times.processMs * factor,
              encodeMs: isEncoded ? 0 : times.encodeMs * factor,
              selectMs: times.selectMs * factor,
              prefillMs: times.prefillMs * factor,
            },
          };
        },
      },
    };
  }

  it('predicts calls that it has not seen', async () => {
    const { probe } = fakeProbe(() => 1);
    const fitted = await measureCosts(probe);
    for (const encodedTokens of [128, 320, 832]) {
      const size = { visionTokens: 1088, encodedTokens, keptTokens: 100, textTokens: 25 };
      const expected = totalMs(phaseTimes(COSTS, size));
      expect(Math.abs(totalMs(phaseTimes(fitted, size)) - expected) / expected).toBeLessThan(0.05);
    }
  });

  it('is not led astray by a first call, or another now and then, that takes much longer', async () => {
    const { probe } = fakeProbe((call) => (call % 7 === 1 ? 6 : 1));
    const size = { visionTokens: 1088, encodedTokens: 320, keptTokens: 100, textTokens: 25 };
    const expected = totalMs(phaseTimes(COSTS, size));
    const fitted = await measureCosts(probe);
    expect(Math.abs(totalMs(phaseTimes(fitted, size)) - expected) / expected).toBeLessThan(0.1);
  });

  it('asks slow models less often', async () => {
    const quick = fakeProbe(() => 1);
    const slow = fakeProbe(() => 1000);
    await measureCosts(quick.probe);
    await measureCosts(slow.probe);
    expect(slow.calls.length).toBeLessThan(quick.calls.length / 1.8);
  });
});
