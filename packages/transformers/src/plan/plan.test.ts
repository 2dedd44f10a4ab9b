import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PhaseTimes } from '../report.js';
import { NO_CORRECTIONS, RecentCalls } from './corrections.js';
import { type CallSize, type CostSample, fitCosts, type PhaseCosts, phaseTimes, totalMs } from './costs.js';
import { makePlan } from './make-plan.js';
import { measureCosts, type Probe, type ProbeSize } from './profile.js';

/** Costs of a simulated machine that matches the cost model exactly. */
const COSTS: PhaseCosts = {
  processMs: [2, 0.01],
  encodeMs: [1, 0.5, 0.0004],
  selectMs: [0.4, 0.00001, 0.0003, 0.01],
  prefillMs: [5, 0.2, 0.0001],
};

const UNTILED = { images: 1, tiles: 1, allTiles: 1 };

const coefficient = fc.double({ min: 0.001, max: 5, noNaN: true });
const costs: fc.Arbitrary<PhaseCosts> = fc.record({
  processMs: fc.tuple(coefficient, coefficient),
  encodeMs: fc.tuple(coefficient, coefficient, coefficient),
  selectMs: fc.tuple(coefficient, coefficient, coefficient, coefficient),
  prefillMs: fc.tuple(coefficient, coefficient, coefficient),
});

describe('fitCosts', () => {
  it('recovers the costs from exact times, also for sizes between and beyond the measured ones', () => {
    const sizes = [32, 64, 128, 512, 1024].flatMap((encodedTokens) =>
      [1 / 16, 1 / 3].map(
        (share): CallSize => ({
          visionTokens: encodedTokens,
          encodedTokens,
          keptTokens: Math.round(encodedTokens * share),
          textTokens: 30,
          ...UNTILED,
        }),
      ),
    );
    const fitted = fitCosts(sizes.map((size): CostSample => ({ size, times: phaseTimes(COSTS, size) })));
    for (const n of [50, 300, 1500]) {
      const size = {
        visionTokens: n,
        encodedTokens: n,
        keptTokens: Math.round(n / 5),
        textTokens: 30,
        ...UNTILED,
      };
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
        images: fc.integer({ min: 1, max: 4 }),
        tiles: fc.integer({ min: 1, max: 17 }),
        allTiles: fc.integer({ min: 1, max: 17 }),
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

describe('phaseTimes', () => {
  const whole = {
    visionTokens: 1088,
    encodedTokens: 1088,
    keptTokens: 1088,
    textTokens: 40,
    images: 1,
    tiles: 17,
    allTiles: 17,
  };

  it('counts no selection when all encoded tokens are kept, but the ranking of tiles when some are skipped', () => {
    expect(phaseTimes(COSTS, whole).selectMs).toBe(0);
    const some = { ...whole, tiles: 5, encodedTokens: 320, keptTokens: 320 };
    expect(phaseTimes(COSTS, some).selectMs).toBeCloseTo(0.01 * 1088);
  });

  it('counts a second encoder run when tiles follow the overview', () => {
    const of = (tiles: number): number =>
      phaseTimes({ ...COSTS, encodeMs: [10, 0, 0] }, { ...whole, tiles }).encodeMs;
    expect([of(1), of(2), of(16), of(17)]).toEqual([10, 20, 20, 10]);
  });
});

describe('makePlan', () => {
  const choices = {
    visionTokens: [1088, 544, 272],
    allTiles: 17,
    images: 1,
    textTokens: 40,
  };

  it('returns the best feasible plan, or the cheapest if none is feasible', () => {
    const few = { visionTokens: [24, 12], allTiles: 3, images: 1, textTokens: 4 };
    const all = few.visionTokens.flatMap((visionTokens) =>
      [1, 2, 3].flatMap((tiles) => {
        const encodedTokens = (visionTokens * tiles) / 3;
        return Array.from({ length: encodedTokens }, (_, at): CallSize => {
          return {
            visionTokens,
            encodedTokens,
            keptTokens: at + 1,
            textTokens: 4,
            images: 1,
            tiles,
            allTiles: 3,
          };
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

  it('encodes and keeps everything if time allows', () => {
    expect(makePlan(COSTS, choices, { firstTokenMs: 1e6 })).toMatchObject({
      visionTokens: 1088,
      tiles: 17,
      encodedTokens: 1088,
      keptTokens: 1088,
      isFeasible: true,
    });
  });

  it('skips tiles rather than tokens if the encoder is the main cost', () => {
    const plan = makePlan(COSTS, { ...choices, visionTokens: [1088] }, { firstTokenMs: 400 });
    expect(plan.tiles).toBeLessThan(10);
    expect(plan.keptTokens).toBeGreaterThan(plan.encodedTokens / 4);
  });

  it('accounts for the time already spent and for the corrections', () => {
    const calm = makePlan(COSTS, choices, { firstTokenMs: 300 });
    const corrections = { ...NO_CORRECTIONS, encodeMs: 2 };
    const busy = makePlan(COSTS, choices, { firstTokenMs: 300, corrections });
    expect(busy.encodedTokens).toBeLessThan(calm.encodedTokens);
    expect(busy.predicted.encodeMs).toBeCloseTo(2 * phaseTimes(COSTS, busy).encodeMs);
    const late = makePlan(COSTS, choices, { firstTokenMs: 300, spentMs: 299 });
    expect(late.isFeasible).toBe(false);
    expect(late.predictedMs).toBeGreaterThan(299);
  });
});

describe('RecentCalls', () => {
  const ms = fc.double({ min: 0.1, max: 1e4, noNaN: true });
  const factor = fc.double({ min: 0.1, max: 10, noNaN: true });
  const PREDICTED: PhaseTimes = { processMs: 5, encodeMs: 20, selectMs: 2, prefillMs: 10 };
  const scaled = (by: number): PhaseTimes => ({
    processMs: PREDICTED.processMs * by,
    encodeMs: PREDICTED.encodeMs * by,
    selectMs: PREDICTED.selectMs * by,
    prefillMs: PREDICTED.prefillMs * by,
  });
  const expectAll = (recent: RecentCalls, expected: number): void => {
    for (const one of Object.values(recent.corrections)) expect(one / expected).toBeCloseTo(1, 9);
  };

  it('learns a constant factor of each phase from three calls', () => {
    fc.assert(
      fc.property(factor, factor, fc.array(ms, { minLength: 3, maxLength: 20 }), (one, other, calls) => {
        const recent = new RecentCalls();
        for (const time of calls)
          recent.record(
            { processMs: time, encodeMs: one * time, selectMs: time, prefillMs: other * time },
            { processMs: time, encodeMs: time, selectMs: time, prefillMs: time },
          );
        const { processMs, encodeMs, prefillMs } = recent.corrections;
        expect(processMs).toBe(1);
        expect(encodeMs / one).toBeCloseTo(1, 9);
        expect(prefillMs / other).toBeCloseTo(1, 9);
      }),
    );
  });

  it('is not moved by one outlier, not even by a slow first call', () => {
    fc.assert(
      fc.property(factor, fc.nat(9), fc.integer({ min: 3, max: 10 }), (slower, outlier, calls) => {
        const recent = new RecentCalls();
        for (let call = 0; call < calls; call++)
          recent.record(scaled(call === outlier ? 50 : slower), PREDICTED);
        expectAll(recent, slower);
      }),
    );
  });

  it('follows a machine that becomes slower, and one that recovers', () => {
    const recent = new RecentCalls();
    for (const factor of [1, 3, 1]) {
      for (let call = 0; call < 15; call++) recent.record(scaled(factor), PREDICTED);
      expectAll(recent, factor);
    }
  });

  it('stays near 1 if calls scatter widely around the prediction', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })), (noise) => {
        const [recent, ratios] = [new RecentCalls(), [] as number[]];
        for (let call = 0; call < 15; call++) {
          const ratio = Math.exp(noise.next().value as number);
          ratios.push(ratio);
          recent.record(scaled(ratio), PREDICTED);
        }
        const { encodeMs } = recent.corrections;
        const middle = ratios.toSorted((a, b) => a - b)[7] as number;
        // Between no correction and the median.
        expect(Math.abs(Math.log(encodeMs))).toBeLessThanOrEqual(Math.abs(Math.log(middle)) + 1e-9);
      }),
    );
    const recent = new RecentCalls();
    for (let call = 0; call < 15; call++)
      recent.record(scaled([0.5, 1.1, 2.2][call % 3] as number), PREDICTED);
    for (const one of Object.values(recent.corrections)) expect(Math.abs(one - 1)).toBeLessThan(0.02);
  });

  it('ignores phases without a time', () => {
    const recent = new RecentCalls();
    for (const [took, predicted] of [
      [0, 5],
      [5, 0],
      [5, -1],
      [Number.NaN, 5],
    ] as const)
      for (let call = 0; call < 4; call++)
        recent.record({ ...scaled(1), encodeMs: took }, { ...PREDICTED, encodeMs: predicted });
    expectAll(recent, 1);
  });
});

describe('measureCosts', () => {
  /** An image of 17 tiles of which some are encoded. */
  const sizeOf = (tiles: number): ProbeSize => ({
    visionTokens: 1088,
    encodedTokens: 64 * tiles,
    images: 1,
    tiles,
    allTiles: 17,
  });

  /** A probe of a machine whose clock shows the given costs, times a factor that varies from call to call. */
  function fakeProbe(noise: (call: number) => number): { readonly probe: Probe; readonly calls: number[] } {
    const calls: number[] = [];
    const sizes = [1, 9, 17].map((tiles) => sizeOf(tiles));
    return {
      calls,
      probe: {
        sizes,
        async run(at, keptTokens, isEncoded) {
          calls.push(at);
          const own = sizes[at] as ProbeSize;
          const size = { ...own, keptTokens, textTokens: 40 };
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

  it('predicts calls that were not measured', async () => {
    const { probe } = fakeProbe(() => 1);
    const fitted = await measureCosts(probe);
    for (const tiles of [2, 5, 13, 17]) {
      const size = { ...sizeOf(tiles), keptTokens: 100, textTokens: 25 };
      const expected = totalMs(phaseTimes(COSTS, size));
      expect(Math.abs(totalMs(phaseTimes(fitted, size)) - expected) / expected).toBeLessThan(0.05);
    }
  });

  it('is robust to a slow first call and to occasional slow calls', async () => {
    const { probe } = fakeProbe((call) => (call % 7 === 1 ? 6 : 1));
    const size = { ...sizeOf(5), keptTokens: 100, textTokens: 25 };
    const expected = totalMs(phaseTimes(COSTS, size));
    const fitted = await measureCosts(probe);
    expect(Math.abs(totalMs(phaseTimes(fitted, size)) - expected) / expected).toBeLessThan(0.1);
  });

  it('measures slow models less often', async () => {
    const quick = fakeProbe(() => 1);
    const slow = fakeProbe(() => 1000);
    await measureCosts(quick.probe);
    await measureCosts(slow.probe);
    expect(slow.calls.length).toBeLessThan(quick.calls.length / 1.8);
  });
});
