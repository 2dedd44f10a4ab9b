// Which candidates may be picked: exclusions, must-keeps, and groups with their own minimum and maximum.

import { InvalidBudgetError } from '../errors.js';

/** A set of candidates with its own bounds on how many are kept, e.g. a tile, a frame or an image. */
export interface CandidateGroup {
  /** Candidate indices. A candidate may be in at most one group. */
  readonly members: readonly number[];
  /** Keep at least this many. @default 0 */
  readonly min?: number | undefined;
  /** Keep at most this many. @default unlimited */
  readonly max?: number | undefined;
}

/** Constraints on a selection. */
export interface Constraints {
  /** Candidates never to keep. They remain targets, so their content can still be covered. */
  readonly exclude?: readonly number[] | undefined;
  /** Candidates always to keep. They count toward the budget and are picked first. */
  readonly include?: readonly number[] | undefined;
  readonly groups?: readonly CandidateGroup[] | undefined;
}

interface GroupState {
  readonly max: number;
  /** How many picks the minimum still needs. */
  missing: number;
  kept: number;
}

/**
 * Tracks which candidates may be picked next. A candidate that has become ineligible stays so, and a maximizer may drop it.
 */
export class Eligibility {
  /** Must-keep candidates, ascending. */
  readonly include: readonly number[];
  /** How many candidates can be kept at all, regardless of the budget. */
  readonly selectable: number;
  /** 1 for candidates that are excluded or already picked. */
  private readonly gone: Uint8Array;
  /** The group of each candidate; one past the last for those without a group, because engines look up index −1 slowly. */
  private readonly groupOf: Int32Array;
  private readonly groups: readonly GroupState[];
  /** Picks left. */
  private remaining: number;
  /** How many of these picks are reserved for unmet minima. */
  private reserved: number;

  /** @throws InvalidBudgetError if the constraints contradict each other or the budget. */
  constructor(candidates: number, constraints: Constraints, budget: number) {
    const { exclude = [], include = [], groups = [] } = constraints;
    this.include = [...new Set(include)].sort((a, b) => a - b);
    this.remaining = budget;
    this.gone = new Uint8Array(candidates);
    for (const j of exclude) this.gone[j] = 1;
    const clash = this.include.find((j) => this.gone[j] === 1);
    if (clash !== undefined) throw new InvalidBudgetError(`candidate ${clash} is both included and excluded`);
    if (this.include.length > budget) {
      throw new InvalidBudgetError(
        `${this.include.length} candidates must be kept, but the budget is ${budget}`,
      );
    }

    this.groupOf = new Int32Array(candidates).fill(groups.length);
    /** For each group, how many of its members are must-keeps. */
    const includedOf: number[] = [];
    this.groups = groups.map(({ members, min = 0, max = candidates }, g) => {
      for (const j of new Set(members)) {
        if (this.groupOf[j] !== groups.length) {
          throw new InvalidBudgetError(
            `candidate ${j} is in groups ${this.groupOf[j]} and ${g}; groups must be disjoint`,
          );
        }
        this.groupOf[j] = g;
      }
      const mustKeep = this.include.filter((j) => this.groupOf[j] === g).length;
      if (mustKeep > max) {
        throw new InvalidBudgetError(
          `group ${g} keeps at most ${max}, but ${mustKeep} of its members must be kept`,
        );
      }
      includedOf.push(mustKeep);
      return { max, missing: min, kept: 0 };
    });
    const available = this.groups.map(() => 0);
    let ungrouped = 0;
    for (let j = 0; j < candidates; j++) {
      if (this.gone[j] === 1) continue;
      const g = this.groupOf[j] as number;
      if (g === groups.length) ungrouped++;
      else available[g] = (available[g] as number) + 1;
    }
    this.groups.forEach(({ missing, max }, g) => {
      if (missing <= Math.min(available[g] as number, max)) return;
      throw new InvalidBudgetError(
        `group ${g} must keep at least ${missing} and at most ${max}, and has ${available[g]} selectable members`,
      );
    });
    this.selectable = this.groups.reduce(
      (sum, { max }, g) => sum + Math.min(available[g] as number, max),
      ungrouped,
    );
    this.reserved = this.groups.reduce((sum, { missing }) => sum + missing, 0);
    const beyondMinima = this.groups.reduce(
      (sum, { missing }, g) => sum - Math.min(missing, includedOf[g] as number),
      this.include.length,
    );
    if (this.reserved + beyondMinima > budget) {
      throw new InvalidBudgetError(
        `the groups' minima and the must-keep candidates need ${this.reserved + beyondMinima} tokens, but the budget is ${budget}`,
      );
    }
  }

  /** Whether candidate `j` may be picked now. */
  allows(j: number): boolean {
    if (this.gone[j] === 1) return false;
    const group = this.groups[this.groupOf[j] as number];
    if (group !== undefined && group.kept >= group.max) return false;
    return this.reserved < this.remaining || (group !== undefined && group.missing > 0);
  }

  /** Whether `j` is neither excluded nor picked. */
  isLeft(j: number): boolean {
    return this.gone[j] === 0;
  }

  /** Whether groups restrict the picks. */
  get isGrouped(): boolean {
    return this.groups.length > 0;
  }

  /** From now on, allows only candidates that groups still need for their minima. Returns whether there are any. */
  allowOnlyMissing(): boolean {
    this.remaining = this.reserved;
    return this.reserved > 0;
  }

  /** Records that `j` was picked. */
  pick(j: number): void {
    this.gone[j] = 1;
    this.remaining--;
    const group = this.groups[this.groupOf[j] as number];
    if (group === undefined) return;
    group.kept++;
    if (group.missing === 0) return;
    group.missing--;
    this.reserved--;
  }
}
