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
  /** Number of images in the call. */
  readonly images: number;
  /** Tiles that are encoded, and tiles that all images have, including overviews; 1 if tiles cannot be skipped. */
  readonly tiles: number;
  readonly allTiles: number;
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

/** Predicts the time of each phase. */
export function phaseTimes(costs: PhaseCosts, size: CallSize): PhaseTimes {
  const of = (phase: Phase): number =>
    TERMS[phase](size).reduce((sum, term, at) => sum + term * (costs[phase][at] ?? 0), 0);
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
