// Cost model of a call: the time of each phase as a simple function of the call's sizes, fitted to measurements.

import * as z from 'zod';

/** The sizes that determine the cost of a call. */
export interface CallSize {
  /** Vision tokens that the processor reserves in the prompt. */
  readonly visionTokens: number;
  /** Vision tokens that are encoded: fewer if tiles are skipped. */
  readonly encodedTokens: number;
  /** Vision tokens that are kept. */
  readonly keptTokens: number;
  /** Tokens of the prompt that are not vision tokens. */
  readonly textTokens: number;
}

/** Milliseconds of a call, by phase. */
export interface PhaseTimes {
  /** The processor: resizing, tiling, and tokenizing. */
  readonly processMs: number;
  readonly encodeMs: number;
  readonly selectMs: number;
  readonly prefillMs: number;
}

/** The phases before the first token. */
const PHASES = ['processMs', 'encodeMs', 'selectMs', 'prefillMs'] as const;
type Phase = (typeof PHASES)[number];

/** Cost coefficients of each phase: one coefficient ≥ 0 per term of {@link TERMS}. */
export type PhaseCosts = Readonly<Record<Phase, readonly number[]>>;

/** The terms of each phase. The encoder and the language model each have a quadratic term for attention. */
const TERMS: Readonly<Record<Phase, (size: CallSize) => readonly number[]>> = {
  processMs: ({ visionTokens }) => [1, visionTokens],
  encodeMs: ({ encodedTokens: n }) => [1, n, n * n],
  selectMs: ({ encodedTokens: n, keptTokens: k }) => [1, n * n, n * k],
  prefillMs({ textTokens, keptTokens }) {
    const length = textTokens + keptTokens;
    return [1, length, length * length];
  },
};

const coefficients = z.array(z.number().nonnegative());

/** The schema of {@link PhaseCosts}. */
export const phaseCostsSchema: z.ZodType<PhaseCosts> = z.strictObject({
  processMs: coefficients,
  encodeMs: coefficients,
  selectMs: coefficients,
  prefillMs: coefficients,
});

/** One measured call. Phases that were not measured are absent. */
export interface CostSample {
  readonly size: CallSize;
  readonly times: Partial<PhaseTimes>;
}

/**
 * Fits the costs of all phases by least squares of the relative errors. All coefficients are non-negative, so more tokens never cost less.
 */
export function fitCosts(samples: readonly CostSample[]): PhaseCosts {
  const fit = (phase: Phase): number[] => {
    const rows = samples.flatMap(({ size, times }) => {
      const ms = times[phase];
      return ms === undefined ? [] : [{ terms: TERMS[phase](size), ms }];
    });
    return nonNegativeFit(rows);
  };
  return {
    processMs: fit('processMs'),
    encodeMs: fit('encodeMs'),
    selectMs: fit('selectMs'),
    prefillMs: fit('prefillMs'),
  };
}

/** Predicts the time of each phase. Selection costs nothing if all encoded tokens are kept. */
export function phaseTimes(costs: PhaseCosts, size: CallSize): PhaseTimes {
  const of = (phase: Phase): number =>
    TERMS[phase](size).reduce((sum, term, at) => sum + term * (costs[phase][at] ?? 0), 0);
  return {
    processMs: of('processMs'),
    encodeMs: of('encodeMs'),
    selectMs: size.keptTokens < size.encodedTokens ? of('selectMs') : 0,
    prefillMs: of('prefillMs'),
  };
}

/** Milliseconds to the first token. */
export function totalMs(times: PhaseTimes): number {
  return PHASES.reduce((sum, phase) => sum + times[phase], 0);
}

interface Row {
  readonly terms: readonly number[];
  readonly ms: number;
}

/** Measurements shorter than this are dominated by noise, so they get no additional weight. */
const LEAST_MS = 0.05;
/** Number of descent iterations: far more than a few terms need. */
const ROUNDS = 2000;

/** Finds coefficients ≥ 0 that minimize the sum of squared relative errors, by coordinate descent. */
function nonNegativeFit(rows: readonly Row[]): number[] {
  const count = rows[0]?.terms.length ?? 0;
  // Columns are scaled to a maximum of 1, because terms differ by many orders of magnitude.
  const scales = Array.from({ length: count }, (_, at) =>
    Math.max(...rows.map(({ terms, ms }) => (terms[at] as number) / Math.max(ms, LEAST_MS)), 1e-300),
  );
  const scaled = rows.map(({ terms, ms }) => ({
    terms: terms.map((term, at) => term / Math.max(ms, LEAST_MS) / (scales[at] as number)),
    target: ms / Math.max(ms, LEAST_MS),
  }));
  const values = new Array<number>(count).fill(0);
  const squares = scales.map((_, at) =>
    scaled.reduce((sum, { terms }) => sum + (terms[at] as number) ** 2, 0),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (let at = 0; at < count; at++) {
      const square = squares[at] as number;
      if (square === 0) continue;
      const gradient = scaled.reduce((sum, { terms, target }) => {
        const given = terms.reduce((total, term, other) => total + term * (values[other] as number), 0);
        return sum + (terms[at] as number) * (given - target);
      }, 0);
      values[at] = Math.max(0, (values[at] as number) - gradient / square);
    }
  }
  return values.map((value, at) => value / (scales[at] as number));
}
