// Greedy maximization of coverage, which facility location, SCOPE, and StackTok share.

import type { Matrix } from './matrices.js';

/** What a gain counts besides the matrix. */
export interface CoverOptions {
  /** Factors on the gains of the columns. @default 1 */
  readonly weights?: ArrayLike<number>;
  /** Divides each target's part of a gain; the number of targets makes gains means. @default 1 */
  readonly divisor?: number;
}

/**
 * How well a growing set of columns covers the targets (rows): a target counts with its highest value in a committed column, and with
 * 0 before the first. Gains never grow as columns are committed, so an earlier gain bounds a later one from above, and only columns
 * whose bound beats the best gain so far are computed again (lazy greedy search, Minoux 1978, https://doi.org/10.1007/BFb0006528).
 * This holds in floating point too, since rounding is monotonic: picks are those of a search that computes every gain.
 */
export class Cover {
  /** The sum over targets of their highest values, each divided by the divisor. */
  value = 0;
  private readonly targets: number;
  private readonly columns: readonly Float32Array[];
  private readonly weights: ArrayLike<number> | undefined;
  private readonly divisor: number;
  /** The highest value of each target. */
  private readonly reached: Float64Array;
  /** The gain of each column when it was last computed, without its weight. */
  private readonly gains: Float64Array;
  /** After how many commits it was. */
  private readonly computedAt: Uint32Array;
  private readonly isCommitted: Uint8Array;
  private commits = 0;

  constructor({ data, rows, columns }: Matrix, { weights, divisor = 1 }: CoverOptions = {}) {
    this.targets = rows;
    this.columns = columnsOf(data, rows, columns);
    this.weights = weights;
    this.divisor = divisor;
    this.reached = new Float64Array(rows);
    this.gains = Float64Array.from(this.columns, (column) => this.compute(column));
    this.computedAt = new Uint32Array(columns);
    this.isCommitted = new Uint8Array(columns);
  }

  /** How much committing a column would add to {@link value}, times its weight. */
  gainOf(column: number): number {
    if (this.computedAt[column] !== this.commits) {
      this.gains[column] = this.compute(this.columns[column]!);
      this.computedAt[column] = this.commits;
    }
    return this.gains[column]! * this.weightOf(column);
  }

  /** The column with the highest gain of those not committed, the first of equals; -1 if all are committed. */
  best(): number {
    let best = this.mostPromising();
    if (best < 0) return best;
    let gain = this.gainOf(best);
    for (let j = 0; j < this.columns.length; j++) {
      if (this.isCommitted[j] === 1 || j === best) continue;
      const bound = this.boundOf(j);
      if (!(bound > gain || (bound === gain && j < best))) continue;
      const own = this.gainOf(j);
      if (own > gain || (own === gain && j < best)) [best, gain] = [j, own];
    }
    return best;
  }

  /** Adds a column to the set. */
  commit(column: number): void {
    const values = this.columns[column]!;
    for (let i = 0; i < this.targets; i++) {
      const more = values[i]! - this.reached[i]!;
      if (!(more > 0)) continue;
      this.reached[i] = values[i]!;
      this.value += more / this.divisor;
    }
    this.isCommitted[column] = 1;
    this.commits++;
  }

  private mostPromising(): number {
    let best = -1;
    for (let j = 0; j < this.columns.length; j++) {
      if (this.isCommitted[j] === 0 && (best < 0 || this.boundOf(j) > this.boundOf(best))) best = j;
    }
    return best;
  }

  private boundOf(column: number): number {
    return this.gains[column]! * Math.max(0, this.weightOf(column));
  }

  private weightOf(column: number): number {
    return this.weights === undefined ? 1 : this.weights[column]!;
  }

  private compute(values: Float32Array): number {
    const { reached, divisor, targets } = this;
    let gain = 0;
    for (let i = 0; i < targets; i++) {
      const more = values[i]! - reached[i]!;
      if (more > 0) gain += more / divisor;
    }
    return gain;
  }
}

function columnsOf(data: Float32Array, rows: number, columns: number): Float32Array[] {
  const all = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) all[j * rows + i] = data[i * columns + j]!;
  return Array.from({ length: columns }, (_, j) => all.subarray(j * rows, (j + 1) * rows));
}
