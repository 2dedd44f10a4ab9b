// Cost model of a call: the time of each phase as a simple function of the call's sizes, fitted to measurements.

import * as z from 'zod';
import type { PhaseTimes } from '../report.js';

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
  /** Number of images in the call. */
  readonly images: number;
  /** Tiles that are encoded, and tiles that all images have, including overviews; 1 if tiles cannot be skipped. */
  readonly tiles: number;
  readonly allTiles: number;
}

/** The phases before the first token. */
export const PHASES = ['processMs', 'encodeMs', 'selectMs', 'prefillMs'] as const;
export type Phase = (typeof PHASES)[number];

/** Cost coefficients of each phase: one coefficient ≥ 0 per term of {@link TERMS}. */
export type PhaseCosts = Readonly<Record<Phase, readonly number[]>>;

/** How often the encoder runs. If tiles are skipped, it runs for the overviews, and again if other tiles follow. */
function encoderRuns({ images, tiles, allTiles }: CallSize): number {
  return tiles < allTiles && tiles > images ? 2 : 1;
}

/** The terms of each phase. The encoder and the language model each have a quadratic term for attention. */
const TERMS: Readonly<Record<Phase, (size: CallSize) => readonly number[]>> = {
  processMs: ({ visionTokens }) => [1, visionTokens],
  encodeMs(size) {
    const { encodedTokens: n, images, tiles } = size;
    // Attention stays within a tile or an image.
    return [encoderRuns(size), n, (n * n) / Math.max(images, tiles)];
  },
  selectMs({ encodedTokens: n, keptTokens: k, visionTokens, tiles, allTiles }) {
    // Tiles are ranked by the pixels of all tiles, even if all encoded tokens are kept.
    const ranked = tiles < allTiles ? visionTokens : 0;
    return k < n ? [1, n * n, n * k, ranked] : [0, 0, 0, ranked];
  },
  prefillMs({ textTokens, keptTokens }) {
    const length = textTokens + keptTokens;
    return [1, length, length * length];
  },
};

const NOTHING: CallSize = {
  visionTokens: 0,
  encodedTokens: 0,
  keptTokens: 0,
  textTokens: 0,
  images: 0,
  tiles: 0,
  allTiles: 0,
};

const coefficientsOf = (phase: Phase): z.ZodType<readonly number[]> =>
  z.array(z.number().nonnegative()).length(TERMS[phase](NOTHING).length);

/** The schema of {@link PhaseCosts}. */
export const phaseCostsSchema: z.ZodType<PhaseCosts> = z.strictObject({
  processMs: coefficientsOf('processMs'),
  encodeMs: coefficientsOf('encodeMs'),
  selectMs: coefficientsOf('selectMs'),
  prefillMs: coefficientsOf('prefillMs'),
});

/** One measured call. Phases that were not measured are absent. */
export interface CostSample {
  readonly size: CallSize;
  readonly times: Partial<PhaseTimes>;
}

/**
 * Fits the costs of all phases by least absolute relative errors, so that single slow calls have little effect. All coefficients are
 * non-negative, so more tokens never cost less.
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

/** Predicts the time of each phase. */
export function phaseTimes(costs: PhaseCosts, size: CallSize): PhaseTimes {
  const of = (phase: Phase): number => dot(costs[phase], TERMS[phase](size));
  return {
    processMs: of('processMs'),
    encodeMs: of('encodeMs'),
    selectMs: of('selectMs'),
    prefillMs: of('prefillMs'),
  };
}

/** Milliseconds to the first token. */
export function totalMs(times: PhaseTimes): number {
  return PHASES.reduce((sum, phase) => sum + times[phase], 0);
}

/** The middle value; of an even number of values, the lower one of the middle two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] as number;
}

interface Row {
  readonly terms: readonly number[];
  readonly ms: number;
}

/** Measurements shorter than this are dominated by noise, so they get no additional weight. */
const LEAST_MS = 0.05;
/** Number of descent iterations: far more than a few terms need. */
const STEPS = 2000;
/** Number of weighted fits: each gives less weight to the measurements that the previous one missed by more. */
const ROUNDS = 12;
/** Relative errors below this count alike. */
const LEAST_ERROR = 0.01;

/** Finds coefficients ≥ 0 that minimize the sum of absolute relative errors, by iteratively reweighted least squares. */
function nonNegativeFit(rows: readonly Row[]): number[] {
  const count = rows[0]?.terms.length ?? 0;
  const relative = rows.map(({ terms, ms }) => {
    const scale = Math.max(ms, LEAST_MS);
    return { terms: terms.map((term) => term / scale), target: ms / scale };
  });
  // Columns are scaled to a maximum of 1, because terms differ by many orders of magnitude.
  const scales = Array.from({ length: count }, (_, at) =>
    Math.max(...relative.map(({ terms }) => terms[at] as number), 1e-300),
  );
  const scaled = relative.map(({ terms, target }) => ({
    terms: terms.map((term, at) => term / (scales[at] as number)),
    target,
  }));
  let values = new Array<number>(count).fill(0);
  let weights = scaled.map(() => 1);
  for (let round = 0; round < ROUNDS; round++) {
    values = weightedFit(scaled, weights, values);
    weights = scaled.map(
      ({ terms, target }) => 1 / Math.max(Math.abs(dot(terms, values) - target), LEAST_ERROR),
    );
  }
  return values.map((value, at) => value / (scales[at] as number));
}

interface WeightedRow {
  readonly terms: readonly number[];
  readonly target: number;
}

/** Finds coefficients ≥ 0 that minimize the weighted sum of squared errors, by coordinate descent. */
function weightedFit(
  rows: readonly WeightedRow[],
  weights: readonly number[],
  start: readonly number[],
): number[] {
  const total = (of: (row: WeightedRow) => number): number =>
    rows.reduce((sum, row, at) => sum + (weights[at] as number) * of(row), 0);
  const products = start.map((_, one) =>
    start.map((_, other) => total(({ terms }) => (terms[one] as number) * (terms[other] as number))),
  );
  const targets = start.map((_, at) => total(({ terms, target }) => (terms[at] as number) * target));
  const values = [...start];
  for (let step = 0; step < STEPS; step++) {
    for (const [at, own] of products.entries()) {
      const curvature = own[at] as number;
      if (curvature === 0) continue;
      const gradient = dot(own, values) - (targets[at] as number);
      values[at] = Math.max(0, (values[at] as number) - gradient / curvature);
    }
  }
  return values;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}
