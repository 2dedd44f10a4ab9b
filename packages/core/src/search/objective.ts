// The objective during a selection: gains of candidates, and committing one.

import type { CoverageMatrix } from './coverage-matrix.js';

/**
 * A monotone submodular set function as seen by a maximizer: what a candidate would add now, and adding it. Gains never grow as
 * candidates are committed, also in floating point (each is summed in one fixed order), so an earlier gain is a valid upper bound
 * later.
 */
export interface Objective {
  /** Number of candidates, which are 0 … candidates − 1. */
  readonly candidates: number;
  /** What candidate `j` would add to the value now. */
  gain(j: number): number;
  /** Upper bounds of all gains before anything is committed, cheaper than the gains themselves; a new array. */
  initialBounds(): Float64Array;
  /** Adds candidate `j`. */
  commit(j: number): Commitment;
}

/** What a committed candidate added. */
export interface Commitment {
  /** To the objective. */
  readonly gain: number;
  /** To each coverage term, before the term's weight. */
  readonly byTerm: readonly number[];
}

/** One coverage term, ready for evaluation. */
export interface CoverageBlock {
  /** The term's weight. */
  readonly weight: number;
  readonly matrix: CoverageMatrix;
  /** `[n]`: the sum of each candidate's affinities, as the backend summed it. */
  readonly firstGains: Float32Array;
  /** The backend's stated relative precision, i.e. how far off its sums may be. */
  readonly precision: number;
}

/** A bonus per candidate. */
export interface BonusBlock {
  /** Names the term in errors. */
  readonly name: string;
  readonly weight: number;
  /** `[n]` */
  readonly bonus: Float32Array;
}

// A float32 sum of t non-negative numbers has a relative error below t · 2⁻²⁴ in any order, and so does the evaluator's own sum.
// The constant leaves room for both. Engines that compute in less than single precision (float16) say so in their precision.
const boundMargin = (targets: number, precision: number): number =>
  1 + Math.max((targets + 16) * 2 ** -22, 4 * precision);
// This holds for normal float32 numbers. Some engines flush smaller ones to 0, and the evaluator does not.
const UNDERFLOW = 2 ** -125;

/**
 * The weighted sum of coverage terms and bonuses: Σ_t weight_t Σ_i max_{j∈S} affinity_ji + Σ_b weight_b Σ_{j∈S} bonus_j.
 * Uses the matrices' own record of what is covered, so only one objective at a time.
 */
export class WeightedObjective implements Objective {
  readonly candidates: number;
  private readonly blocks: readonly CoverageBlock[];
  private readonly bonuses: readonly BonusBlock[];

  constructor(candidates: number, blocks: readonly CoverageBlock[], bonuses: readonly BonusBlock[]) {
    this.candidates = candidates;
    this.blocks = blocks;
    this.bonuses = bonuses;
    for (const { matrix } of blocks) matrix.reset();
  }

  gain(j: number): number {
    let sum = 0;
    for (const { weight, matrix } of this.blocks) sum += weight * matrix.gain(j);
    return this.withBonuses(sum, j);
  }

  initialBounds(): Float64Array {
    const bounds = new Float64Array(this.candidates);
    for (const { weight, matrix, firstGains, precision } of this.blocks) {
      const factor = weight * boundMargin(matrix.targets, precision);
      const underflow = weight * matrix.targets * UNDERFLOW;
      for (let j = 0; j < bounds.length; j++)
        bounds[j] = (bounds[j] as number) + factor * (firstGains[j] as number) + underflow;
    }
    for (const { weight, bonus } of this.bonuses) {
      for (let j = 0; j < bounds.length; j++) {
        bounds[j] = ((bounds[j] as number) + weight * (bonus[j] as number)) * (1 + 2 ** -50);
      }
    }
    return bounds;
  }

  commit(j: number): Commitment {
    let sum = 0;
    const byTerm = this.blocks.map(({ weight, matrix }) => {
      const added = matrix.gain(j);
      matrix.cover(j);
      sum += weight * added;
      return added;
    });
    return { gain: this.withBonuses(sum, j), byTerm };
  }

  private withBonuses(covered: number, j: number): number {
    let sum = covered;
    for (const { weight, bonus } of this.bonuses) sum += weight * (bonus[j] as number);
    return sum;
  }
}
