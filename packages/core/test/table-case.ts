// Selections over small matrices given number by number: coverage terms that simply read their affinity from an input.

import * as fc from 'fast-check';
import { createReferenceBackend } from '../src/backend/reference-backend.js';
import type { BonusTerm, CoverageTerm } from '../src/coverage/coverage-term.js';
import { defineCoverage, type TermOptions } from '../src/coverage/define-coverage.js';
import { saliency } from '../src/coverage/terms.js';
import type { Constraints } from '../src/search/eligibility.js';
import type { ImageSelectOptions } from '../src/selection/options.js';
import { selectTokens } from '../src/selection/select-tokens.js';
import type { Selection } from '../src/selection/selection.js';
import type { Rows } from './paper-oracle.js';

/** A backend shared by tests; it keeps nothing between runs. */
export const backend = createReferenceBackend();

/** A term whose affinity `[n, r]` is the input of that name. */
export function tableTerm(name: string): (options?: TermOptions) => CoverageTerm {
  return defineCoverage({
    name,
    inputs: { [name]: { dims: ['n', `targets of ${name}`] } },
    targets: `targets of ${name}`,
    build: (_ops, inputs) => ({ affinity: inputs[name] as (typeof inputs)[string] }),
  });
}

const terms = { a: tableTerm('a'), b: tableTerm('b') };

/** One coverage term of a case: affinity by candidate (row) and target (column). */
export interface Table {
  readonly rows: Rows;
  readonly weight: number;
  readonly targetWeights?: readonly number[];
}

/** A whole problem. */
export interface TableCase {
  readonly candidates: number;
  readonly a: Table;
  readonly b?: Table | undefined;
  readonly bonus?: { readonly weight: number; readonly values: readonly number[] } | undefined;
}

/** Solves a case on the reference backend. */
export function solve(
  problem: TableCase,
  options: Pick<ImageSelectOptions, 'budget' | 'constraints' | 'maximizer'>,
): Promise<Selection> {
  const { candidates, a, b, bonus } = problem;
  const settings = ({ weight, targetWeights }: Table): TermOptions => ({
    weight,
    ...(targetWeights && { targetWeights }),
  });
  const coverage: (CoverageTerm | BonusTerm)[] = [terms.a(settings(a))];
  if (b) coverage.push(terms.b(settings(b)));
  if (bonus) coverage.push(saliency({ weight: bonus.weight }));
  return selectTokens({
    backend,
    vision: Array.from({ length: candidates }, () => [1]),
    coverage,
    inputs: {
      a: a.rows,
      ...(b && { b: b.rows }),
      ...(bonus && { saliency: bonus.values.map((value) => [value]) }),
    },
    ...options,
  });
}

/** The case's objective for any set of candidates, by definition. */
export function valueOfSet(problem: TableCase, picked: readonly number[]): number {
  const covered = ({ rows, weight, targetWeights }: Table): number => {
    const targets = rows[0]?.length ?? 0;
    const given = targetWeights ?? new Array<number>(targets).fill(1);
    const total = given.reduce((sum, each) => sum + each, 0);
    return given.reduce((sum, each, i) => {
      const best = picked.reduce((max, j) => Math.max(max, rows[j]?.[i] as number), 0);
      return sum + weight * (each / total) * best;
    }, 0);
  };
  const { a, b, bonus } = problem;
  return (
    covered(a) +
    (b ? covered(b) : 0) +
    (bonus ? picked.reduce((sum, j) => sum + bonus.weight * (bonus.values[j] as number), 0) : 0)
  );
}

/** How the numbers of a case are drawn. */
export interface TableShape {
  readonly minCandidates?: number;
  readonly maxCandidates: number;
  readonly maxTargets: number;
  /** Affinities are multiples of 1 / levels up to 1. Few levels give many ties. */
  readonly levels: number;
  /** Distinct rows to draw candidates from; few rows make duplicated tokens. */
  readonly maxDistinctRows?: number;
}

/** Cases with duplicated candidates, duplicated targets, zero rows, zero weights and exact ties. */
export function tableCases(shape: TableShape): fc.Arbitrary<TableCase> {
  const { minCandidates = 1, maxCandidates, maxTargets, levels, maxDistinctRows = maxCandidates } = shape;
  const level = fc.integer({ min: 0, max: levels }).map((step) => step / levels);
  const weight = fc.constantFrom(0, 0.25, 0.5, 1, 1, 2);
  const table = (candidates: number): fc.Arbitrary<Table> =>
    fc
      .integer({ min: 1, max: maxTargets })
      .chain((targets) =>
        fc.record({
          pool: fc.array(fc.array(level, { minLength: targets, maxLength: targets }), {
            minLength: 1,
            maxLength: maxDistinctRows,
          }),
          from: fc.array(fc.nat(), { minLength: candidates, maxLength: candidates }),
          columns: fc.array(fc.nat(targets - 1), { minLength: targets, maxLength: targets }),
          weight,
          weights: fc.option(
            fc
              .array(fc.integer({ min: 0, max: 3 }), { minLength: targets, maxLength: targets })
              .filter((given) => given.some((each) => each > 0)),
            { nil: undefined },
          ),
        }),
      )
      .map(({ pool, from, columns, weight, weights }) => ({
        rows: from.map((pick) => columns.map((column) => pool[pick % pool.length]?.[column] as number)),
        weight,
        ...(weights && { targetWeights: weights }),
      }));
  return fc.integer({ min: minCandidates, max: maxCandidates }).chain((candidates) =>
    fc.record({
      candidates: fc.constant(candidates),
      a: table(candidates),
      b: fc.option(table(candidates), { nil: undefined }),
      bonus: fc.option(
        fc.record({
          weight,
          values: fc.array(level, { minLength: candidates, maxLength: candidates }),
        }),
        { nil: undefined, freq: 3 },
      ),
    }),
  );
}

/** Constraints over `candidates`, sensible and contradictory ones alike. */
export function constraintsOf(candidates: number): fc.Arbitrary<Constraints> {
  const roles = fc.array(fc.constantFrom('free', 'free', 'free', 'free', 'exclude', 'include'), {
    minLength: candidates,
    maxLength: candidates,
  });
  const groupOf = fc.array(fc.integer({ min: -1, max: 2 }), { minLength: candidates, maxLength: candidates });
  const bounds = fc.record({
    min: fc.option(fc.nat(2), { nil: undefined }),
    max: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
  });
  return fc
    .record({ roles, groupOf, groups: fc.array(bounds, { maxLength: 3 }) })
    .map(({ roles, groupOf, groups }) => {
      const where = (role: string): number[] => roles.flatMap((each, j) => (each === role ? [j] : []));
      return {
        exclude: where('exclude'),
        include: where('include'),
        groups: groups.map(({ min, max }, g) => ({
          members: groupOf.flatMap((each, j) => (each === g ? [j] : [])),
          ...(min !== undefined && { min }),
          ...(max !== undefined && { max }),
        })),
      };
    });
}

/** Whether a set respects constraints, by definition. */
export function respects(picked: readonly number[], constraints: Constraints): boolean {
  const { exclude = [], include = [], groups = [] } = constraints;
  return (
    new Set(picked).size === picked.length &&
    !exclude.some((j) => picked.includes(j)) &&
    include.every((j) => picked.includes(j)) &&
    groups.every(({ members, min = 0, max = Number.POSITIVE_INFINITY }) => {
      const kept = members.filter((j) => picked.includes(j)).length;
      return kept >= min && kept <= max;
    })
  );
}

/** What two searches that pick the same tokens have in common. */
export function outcome(selection: Selection | undefined) {
  if (selection === undefined) return undefined;
  const { order, gains, reason, upperBound, coverage } = selection;
  return { order, gains, reason, upperBound, coverage };
}
