// The greedy search on the backend: one program that returns indices and gains, which are then checked.

import type { Backend } from '../backend/backend.js';
import { runNested, type Tree } from '../backend/nested-program.js';
import { float32, type HostTensor } from '../backend/tensor.js';
import type { CoverageTerm } from '../coverage/coverage-term.js';
import { InvalidOptionsError, InvalidSelectionError, InvalidTensorError } from '../errors.js';
import { sum } from '../internal/rows.js';
import { type DeviceInputs, type DeviceOutputs, deviceProgram } from '../search/device-program.js';
import type { Constraints, Eligibility } from '../search/eligibility.js';
import { type SearchInputs, targetValue } from './host-search.js';
import type { SelectionTrace } from './selection.js';
import type { NamedTensors } from './tensors.js';
import {
  assertMatrixFits,
  checkTensors,
  countTargets,
  isLarge,
  programInputs,
  relativeWeights,
  termTensors,
} from './term-matrix.js';

/** Inputs of {@link searchOnDevice}. */
export interface DeviceSearch extends SearchInputs {
  readonly backend: Backend;
  readonly terms: readonly CoverageTerm[];
  readonly tensors: NamedTensors;
  readonly constraints: Constraints;
  readonly maxMatrixBytes: number;
}

/** Larger sums of weighted terms and bonuses may overflow in float32 and make every comparison false. */
const LARGEST_VALUE = 1e37;

/**
 * Runs greedy on the backend. Supports exclusions, but not must-keeps, groups or sampled targets.
 * @throws InvalidOptionsError for what it does not support, and for weights and bonuses beyond float32.
 * @throws InvalidSelectionError if the backend returns anything but distinct, eligible candidates.
 */
export async function searchOnDevice(search: DeviceSearch): Promise<SelectionTrace> {
  const { backend, candidates, terms, tensors, eligibility, budget } = search;
  assertKnown(search);
  const bonus = totalBonus(search);
  const count = Math.min(budget.max, eligibility.selectable);
  const blocked = Float32Array.from({ length: candidates }, (_, j) =>
    eligibility.allows(j) ? 0 : Number.NEGATIVE_INFINITY,
  );
  const used = terms.map((term) => termTensors(term, tensors, candidates));
  const lean = used.some((own, t) =>
    isLarge(candidates, countTargets(terms[t] as CoverageTerm, own, candidates)),
  );
  const rows = lean ? blocksOf(candidates) : undefined;
  const inputs: DeviceInputs<HostTensor> = {
    count: { type: 'int32', data: Int32Array.of(count), dims: [] },
    bonus: float32(bonus, [candidates]),
    blocked: float32(blocked, [candidates]),
    rows,
    tensors: Object.assign({}, ...used),
    terms: terms.map((term, t) => {
      const own = used[t] as (typeof used)[number];
      const targets = countTargets(term, own, candidates);
      assertMatrixFits(term, own, { candidates, targets, ceiling: search.maxMatrixBytes });
      const { tensors: _, ...rest } = programInputs(term, own, relativeWeights(term, targets));
      return { ...rest, weight: float32(Float32Array.of(term.weight), []) };
    }),
  };
  const program = deviceProgram(terms, rows?.length ?? 0);
  const results = await runNested(backend, program, inputs as unknown as Tree<HostTensor>, { lean });
  const outputs = results as unknown as DeviceOutputs<HostTensor>;
  outputs.terms.forEach(({ norms }, t) => {
    checkTensors(used[t] as (typeof used)[number], norms, tensors);
  });
  const numbers = ({ data }: HostTensor): number[] => Array.from(data);
  const measured = outputs.terms.map(({ added, full, negative }, t) => {
    const { name, weight } = terms[t] as CoverageTerm;
    const each = { name, weight, full: numbers(full)[0] as number, added: numbers(added) };
    const isWrong = (value: number): boolean => !(value >= 0 && value < Number.POSITIVE_INFINITY);
    const isNegative = negative !== undefined && numbers(negative).some((value) => !(value <= 0));
    if (isNegative || isWrong(each.full) || each.added.some(isWrong)) {
      throw new InvalidTensorError(`coverage(${name})`, 'the term is negative or not finite somewhere');
    }
    return each;
  });
  const order = numbers(outputs.order);
  checkOrder(order, count, candidates, eligibility);

  const bonusAdded = numbers(outputs.bonusAdded);
  const gains = order.map(
    (_, i) =>
      (bonusAdded[i] as number) + sum(measured.map(({ weight, added }) => weight * (added[i] as number))),
  );
  const target = targetValue(budget, measured, search.bonuses);
  let value = 0;
  let picks = 0;
  while (picks < order.length && !(value >= target && picks >= budget.min)) value += gains[picks++] as number;
  const isWhole = picks === order.length;
  return {
    order: order.slice(0, picks),
    gains: gains.slice(0, picks),
    terms: measured.map(({ name, full, added }) => ({ name, full, added: added.slice(0, picks) })),
    coverageError: {},
    // The remaining gains are known only for the last pick; before it, the next pick's gain is the bound.
    leftGains: isWhole
      ? numbers(outputs.leftGains)
          .filter((gain) => gain > Number.NEGATIVE_INFINITY)
          .sort((a, b) => b - a)
          .slice(0, picks)
      : new Array<number>(picks).fill(gains[picks] as number),
    included: 0,
    steepest: true,
    reason: value >= target ? 'coverageReached' : picks < budget.max ? 'allSelectable' : 'pruned',
  };
}

/** How many blocks the rows of large matrices are cut into: an engine holds up to three copies of one while it computes gains. */
const BLOCKS = 8;

/** All candidates, in blocks. */
function blocksOf(candidates: number): HostTensor[] {
  const size = Math.ceil(candidates / BLOCKS);
  return Array.from({ length: BLOCKS }, (_, b) => {
    const length = Math.max(0, Math.min(size, candidates - b * size));
    return { type: 'int32', data: Int32Array.from({ length }, (_, i) => b * size + i), dims: [length] };
  });
}

/** @throws InvalidOptionsError for constraints and terms that the program does not support. */
function assertKnown({ constraints, terms }: DeviceSearch): void {
  if ((constraints.include?.length ?? 0) + (constraints.groups?.length ?? 0) > 0) {
    throw new InvalidOptionsError('constraints', [
      "the maximizer 'device' supports exclude only, got include or groups; use the maximizer 'lazy'",
    ]);
  }
  if (terms.length === 0) {
    throw new InvalidOptionsError('coverage', [
      "the maximizer 'device' needs at least one coverage term, got bonuses only; use the maximizer 'lazy'",
    ]);
  }
  for (const { name, sample, weight } of terms) {
    if (sample !== undefined) {
      throw new InvalidOptionsError('coverage', [
        `the maximizer 'device' covers all targets, but the term '${name}' samples them; use the maximizer 'lazy'`,
      ]);
    }
    if (weight > 0 && Math.fround(weight) === 0) {
      throw new InvalidOptionsError('coverage', [
        `the weight ${weight} of the term '${name}' is 0 in float32, in which the maximizer 'device' computes; ` +
          "scale the weights up, or use the maximizer 'lazy'",
      ]);
    }
  }
}

/** @throws InvalidOptionsError if a candidate's bonuses approach the limit of float32. */
function totalBonus({ candidates, bonuses }: DeviceSearch): Float32Array {
  const total = new Float64Array(candidates);
  for (const { name, weight, bonus } of bonuses) {
    bonus.forEach((value, j) => {
      total[j] = (total[j] as number) + weight * value;
      if ((total[j] as number) <= LARGEST_VALUE) return;
      throw new InvalidOptionsError('coverage', [
        `the bonus '${name}' of candidate ${j} comes to ${total[j]}, but the maximizer 'device' computes in float32, which ` +
          `takes ${LARGEST_VALUE} at most here; scale the weights down, or use the maximizer 'lazy'`,
      ]);
    });
  }
  return Float32Array.from(total);
}

/** @throws InvalidSelectionError unless the picks are `count` distinct, eligible candidates. */
function checkOrder(
  order: readonly number[],
  count: number,
  candidates: number,
  eligibility: Eligibility,
): void {
  const seen = new Set<number>();
  const fail = (problem: string): never => {
    throw new InvalidSelectionError("maximizer 'device'", problem, {
      hint: 'The objective may exceed what float32 holds. Scale weights and affinities down, or use the maximizer lazy.',
    });
  };
  if (order.length !== count) fail(`the backend returned ${order.length} picks, expected ${count}`);
  for (const j of order) {
    if (seen.has(j)) fail(`the backend picked candidate ${j} twice`);
    if (!(j >= 0 && j < candidates) || !eligibility.allows(j))
      fail(`the backend picked candidate ${j}, which may not be picked`);
    seen.add(j);
  }
}
