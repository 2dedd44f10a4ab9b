// The searches: the maximizer interface, naive greedy, the lazy search that finds the same tokens with fewer evaluations, and the
// stochastic one for very many tokens.

import * as z from 'zod';
import { parseOptions } from '../errors.js';
import type { Eligibility } from './eligibility.js';
import type { Objective } from './objective.js';
import { createRandom, shuffleFront } from './sampling.js';

/** The candidate with the highest bound is on top; among equal bounds the one with the lowest index. */
export class CandidateHeap {
  private readonly items: Int32Array;
  /** The bound of each item, stored next to it rather than looked up by candidate, because the heap is traversed often. */
  private readonly keys: Float64Array;
  private length: number;

  /** A heap of `candidates`, ordered by a copy of their entries in `bounds`. */
  constructor(candidates: readonly number[], bounds: Float64Array) {
    this.items = new Int32Array(candidates);
    this.keys = new Float64Array(candidates.length);
    for (let at = 0; at < candidates.length; at++) this.keys[at] = bounds[candidates[at] as number] as number;
    this.length = candidates.length;
    for (let at = (this.length >> 1) - 1; at >= 0; at--) this.sink(at);
  }

  /** The first candidate, or −1 when empty. */
  get top(): number {
    return this.length === 0 ? -1 : (this.items[0] as number);
  }

  /** Removes the first candidate. */
  removeTop(): void {
    this.length--;
    this.items[0] = this.items[this.length] as number;
    this.keys[0] = this.keys[this.length] as number;
    this.sink(0);
  }

  /** Lowers the bound of the first candidate and moves it to its new place. */
  lowerTop(bound: number): void {
    this.keys[0] = bound;
    this.sink(0);
  }

  /** Moves the item at `from` down below smaller children. */
  private sink(from: number): void {
    const { items, keys, length } = this;
    const item = items[from] as number;
    const key = keys[from] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      let childKey = keys[child] as number;
      if (child + 1 < length) {
        const rightKey = keys[child + 1] as number;
        const rightIsFirst =
          rightKey > childKey ||
          (rightKey === childKey && (items[child + 1] as number) < (items[child] as number));
        if (rightIsFirst) {
          child++;
          childKey = rightKey;
        }
      }
      if (key > childKey || (key === childKey && item < (items[child] as number))) break;
      items[at] = items[child] as number;
      keys[at] = childKey;
      at = child;
    }
    items[at] = item;
    keys[at] = key;
  }
}

/** A request to a maximizer. */
export interface MaximizeRequest {
  /** Pick at most this many candidates. */
  readonly budget: number;
  /** Stop once the value reaches this and at least `minimum` are picked. @default never */
  readonly target?: number | undefined;
  /** @default 0 */
  readonly minimum?: number | undefined;
  /** Which candidates may be picked. The caller has already picked `include`. */
  readonly eligibility: Eligibility;
  /**
   * Commits a candidate to the objective and records it. Returns the value reached.
   * @throws InvalidSelectionError for a candidate that may not be picked now.
   */
  readonly pick: (j: number) => number;
}

/**
 * A search. Apart from its picks it does not change its inputs. Picks must be distinct and eligible, and continue as long as the
 * request allows (enforced).
 */
export interface Maximizer {
  /** Shown in results. */
  readonly name: string;
  /**
   * Whether every pick has the highest gain of all eligible candidates, which tightens the bound on the optimum.
   * @default false
   */
  readonly steepest?: boolean | undefined;
  /**
   * Picks candidates until the budget or target is reached or nothing is eligible.
   * @returns upper bounds of the gains of the unpicked candidates (`Infinity` if unknown).
   */
  maximize(objective: Objective, request: MaximizeRequest): Float64Array;
}

/**
 * Whether the search may stop before the budget is spent. Not while groups are below their minimum; but from now on only their
 * members are eligible.
 */
export function targetReached(request: MaximizeRequest, picked: number, value: number): boolean {
  const { target = Number.POSITIVE_INFINITY, minimum = 0, eligibility } = request;
  return value >= target && picked >= minimum && !eligibility.allowOnlyMissing();
}

/**
 * Repeatedly picks the eligible candidate with the highest gain; ties go to the lowest index. Reaches at least (1 − 1/e) of the best
 * value of any set of this size (Nemhauser, Wolsey, Fisher 1978). O(k · n · targets).
 */
export function naiveGreedy(): Maximizer {
  return {
    name: 'naive',
    steepest: true,
    maximize(objective, request) {
      const { budget, eligibility, pick } = request;
      const bounds = new Float64Array(objective.candidates).fill(Number.POSITIVE_INFINITY);
      let waiting = Int32Array.from({ length: objective.candidates }, (_, j) => j);
      for (let picked = 0; picked < budget; picked++) {
        waiting = waiting.filter((j) => eligibility.allows(j));
        const best = highestGain(objective, waiting, bounds);
        if (best < 0) break;
        const value = pick(best);
        if (targetReached(request, picked + 1, value)) break;
      }
      return bounds;
    },
  };
}

/**
 * Gains only shrink as candidates are committed, so an earlier gain is an upper bound. Candidates wait in a heap ordered by their last
 * known bound; the top one is reevaluated, and picked if its fresh gain still tops the heap.
 *
 * The indices equal those of naive greedy exactly, also in floating point: gains are summed in one fixed order and rounding is
 * monotone, so stale gains remain upper bounds; equal bounds are ordered by index, which is naive greedy's tie rule.
 */
export function lazyGreedy(): Maximizer {
  return {
    name: 'lazy',
    steepest: true,
    maximize(objective, request) {
      const { budget, eligibility, pick } = request;
      const bounds = objective.initialBounds();
      const waiting: number[] = [];
      for (let j = 0; j < objective.candidates; j++) if (eligibility.allows(j)) waiting.push(j);
      const heap = new CandidateHeap(waiting, bounds);
      // The step in which a candidate's bound was computed; −1: only the initial bound is known.
      const evaluatedAt = new Int32Array(objective.candidates).fill(-1);
      for (let picked = 0; picked < budget; ) {
        const j = heap.top;
        if (j < 0) break;
        if (!eligibility.allows(j)) {
          heap.removeTop();
        } else if (evaluatedAt[j] !== picked) {
          const gain = objective.gain(j);
          bounds[j] = gain;
          evaluatedAt[j] = picked;
          heap.lowerTop(gain);
        } else {
          heap.removeTop();
          const value = pick(j);
          picked++;
          if (targetReached(request, picked, value)) break;
        }
      }
      return bounds;
    },
  };
}

/** Options of {@link stochasticGreedy}. */
export interface StochasticGreedyOptions {
  /** The expected value is at least (1 − 1/e − epsilon) of the optimum. @default 0.01 */
  readonly epsilon?: number | undefined;
  /** Seed; the same one gives the same picks. @default 0 */
  readonly seed?: number | undefined;
}

const schema = z.strictObject({
  epsilon: z.number().gt(0).lt(1).default(0.01),
  seed: z.int().default(0),
}) satisfies z.ZodType<StochasticGreedyOptions, StochasticGreedyOptions>;

/**
 * Repeatedly picks the best of (n / k) · ln(1 / epsilon) random eligible candidates; ties go to the lowest index.
 * O(n · targets · ln(1 / epsilon)) for any budget k; log k times as much for a coverage budget, whose k is unknown. Not nested:
 * `prefix(k)` is a greedy order of this run, not the selection for a smaller budget.
 * @see Mirzasoleiman et al. 2015, https://arxiv.org/abs/1409.7938
 * @throws InvalidOptionsError for an epsilon outside (0, 1).
 * @example
 * await selectTokens({ backend, vision, budget: { tokens: 256 }, maximizer: stochasticGreedy({ seed: 1 }) });
 */
export function stochasticGreedy(options: StochasticGreedyOptions = {}): Maximizer {
  const { epsilon, seed } = parseOptions('options of stochasticGreedy', schema, options);
  return {
    name: 'stochastic',
    maximize(objective, request) {
      const { budget, target = Number.POSITIVE_INFINITY, eligibility, pick } = request;
      // The number of picks needed to reach a target is unknown; the guess is twice as many as so far.
      const likely = (picked: number): number =>
        target < Number.POSITIVE_INFINITY ? Math.min(budget, 2 ** Math.ceil(Math.log2(picked + 1))) : budget;
      const rng = createRandom(seed);
      const bounds = objective.initialBounds();
      let waiting = Int32Array.from({ length: objective.candidates }, (_, j) => j);
      for (let picked = 0; picked < budget; picked++) {
        waiting = waiting.filter((j) => eligibility.allows(j));
        if (waiting.length === 0) break;
        const drawn = Math.min(
          waiting.length,
          Math.ceil((objective.candidates / likely(picked)) * Math.log(1 / epsilon)),
        );
        shuffleFront(waiting, drawn, rng);
        const sample = waiting.slice(0, drawn).sort();
        const value = pick(highestGain(objective, sample, bounds));
        if (targetReached(request, picked + 1, value)) break;
      }
      return bounds;
    },
  };
}

/**
 * The candidate with the highest gain, or −1 if there is none; the first one for equal gains.
 * @param bounds receives the gain of every evaluated candidate.
 */
function highestGain(objective: Objective, candidates: Iterable<number>, bounds: Float64Array): number {
  let best = -1;
  let bestGain = Number.NEGATIVE_INFINITY;
  for (const j of candidates) {
    const gain = objective.gain(j);
    bounds[j] = gain;
    if (gain > bestGain) {
      best = j;
      bestGain = gain;
    }
  }
  return best;
}

/**
 * The `count` largest gains among `candidates` for the current objective, highest first. For a monotone submodular
 * function, F(best set of size c) ≤ F(S) + the sum of the c largest gains at S (Minoux 1978).
 *
 * @param bounds upper bounds of the gains; entries are overwritten with fresh gains as needed.
 */
export function largestGains(
  objective: Objective,
  candidates: readonly number[],
  bounds: Float64Array,
  count: number,
): number[] {
  const heap = new CandidateHeap(candidates, bounds);
  const isFresh = new Uint8Array(objective.candidates);
  const gains: number[] = [];
  while (gains.length < count) {
    const j = heap.top;
    if (j < 0) break;
    if (isFresh[j] === 1) {
      gains.push(bounds[j] as number);
      heap.removeTop();
    } else {
      const gain = objective.gain(j);
      bounds[j] = gain;
      isFresh[j] = 1;
      heap.lowerTop(gain);
    }
  }
  return gains;
}
