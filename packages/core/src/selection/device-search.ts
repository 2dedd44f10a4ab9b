// The greedy search on the backend: one program that returns indices and gains, so that the matrices never leave the device. Its
// results are checked.

import type { Backend, TensorOps, TensorSpec } from '../backend/backend.js';
import { defineNestedProgram, type NestedProgram, runNested, type Tree } from '../backend/nested-program.js';
import { float32, type HostTensor } from '../backend/tensor.js';
import type { CoverageTerm, TermInputs, TermOutputs } from '../coverage/coverage-term.js';
import { InvalidOptionsError, InvalidSelectionError, InvalidTensorError } from '../errors.js';
import { sum } from '../internal/rows.js';
import type { Constraints, Eligibility } from '../search/eligibility.js';
import { type SearchInputs, targetValue } from './host-search.js';
import type { SelectionTrace } from './selection.js';
import {
  checkTensors,
  countTargets,
  type NamedTensors,
  programInputs,
  relativeWeights,
  termTensors,
} from './tensors.js';
import { assertMatrixFits, isLarge } from './term-matrix.js';

/** Inputs of the program. */
type DeviceInputs<T> = {
  /** Number of picks, *index* `[]`. */
  readonly count: T;
  /** `[n]`: the bonus of each candidate. */
  readonly bonus: T;
  /** `[n]`: 0, or −∞ for candidates that must not be picked. */
  readonly blocked: T;
  /**
   * *index*: all candidates, cut into blocks. Gains are computed block by block, so that no other matrix of full size is needed.
   * Without it, they are computed at once.
   */
  readonly rows?: readonly T[] | undefined;
  /** The tensors that terms read, by name. */
  readonly tensors: Readonly<Record<string, T>>;
  /** Inputs of a single term, and its weight `[]`. */
  readonly terms: readonly (Omit<TermInputs<T>, 'tensors'> & { readonly weight: T })[];
};

/** Outputs of the program. */
type DeviceOutputs<T> = {
  /** `[k]`, *index*: the picks. */
  readonly order: T;
  /** `[k]`: the bonus of each pick. */
  readonly bonusAdded: T;
  /** `[n]`: the gains left after the last pick; −∞ for blocked candidates. */
  readonly leftGains: T;
  readonly terms: readonly {
    /** `[k]`: what each pick added to the term before weighting. */
    readonly added: T;
    /** `[1]`: the value of the term before weighting, with all tokens. */
    readonly full: T;
    /** `[1, targets]`: how far below 0 the affinities of each target go, for terms that may be negative. */
    readonly negative?: T | undefined;
    /** `[rows, 1]`: the row norms of the tensors it reads. */
    readonly norms: Readonly<Record<string, T>>;
  }[];
};

const composed = new WeakMap<
  NestedProgram,
  { readonly terms: readonly NestedProgram[]; readonly blocks: number; readonly program: NestedProgram }[]
>();

/**
 * The program for an objective. Equal terms (by their programs) give the same object, so it is compiled once.
 * @param blocks the length of {@link DeviceInputs.rows}; 0 if absent.
 */
function deviceProgram(terms: readonly CoverageTerm[], blocks: number): NestedProgram {
  const programs = terms.map((term) => term.programs.whole.fresh);
  const first = programs[0] as NestedProgram;
  const known = composed.get(first) ?? [];
  composed.set(first, known);
  const match = known.find(
    (each) =>
      each.blocks === blocks &&
      each.terms.length === programs.length &&
      each.terms.every((program, t) => program === programs[t]),
  );
  if (match !== undefined) return match.program;
  const program = compose(terms, blocks);
  known.push({ terms: programs, blocks, program });
  return program;
}

/** Terms name their dimensions independently; only the candidates are shared. */
function rename({ dims, ...spec }: TensorSpec, term: number): TensorSpec {
  return { ...spec, dims: dims.map((dim) => (dim === 'n' ? dim : `${dim} of term ${term}`)) };
}

function renameAll(
  specs: Readonly<Record<string, TensorSpec>>,
  term: number,
): Readonly<Record<string, TensorSpec>> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, rename(spec, term)]));
}

/** Blocks may differ in length. */
const rowsOf = (block: number): TensorSpec => ({ dims: [`rows of block ${block}`], dtype: 'int32' });

function compose(terms: readonly CoverageTerm[], blocks: number): NestedProgram {
  const own = terms.map((term) => ({
    inputs: term.programs.whole.fresh.inputs as TermInputs<TensorSpec>,
    outputs: term.programs.whole.fresh.outputs as TermOutputs<TensorSpec>,
  }));
  const tensors: Record<string, TensorSpec> = {};
  own.forEach(({ inputs }, t) => {
    for (const [name, spec] of Object.entries(renameAll(inputs.tensors, t))) tensors[name] ??= spec;
  });
  const inputs: DeviceInputs<TensorSpec> = {
    count: { dims: [], dtype: 'int32' },
    bonus: { dims: ['n'] },
    blocked: { dims: ['n'] },
    rows: blocks === 0 ? undefined : Array.from({ length: blocks }, (_, b) => rowsOf(b)),
    tensors,
    terms: own.map(({ inputs: { parameters, targetWeights } }, t) => ({
      weight: { dims: [] },
      parameters,
      targetWeights: rename(targetWeights, t),
      norms: {},
    })),
  };
  const outputs: DeviceOutputs<TensorSpec> = {
    order: { dims: ['k'], dtype: 'int32' },
    bonusAdded: { dims: ['k'] },
    leftGains: { dims: ['n'] },
    terms: own.map((each, t) => ({
      added: { dims: ['k'] },
      full: { dims: ['one'] },
      negative: terms[t]?.nonNegative === true ? undefined : rename(each.outputs.peak, t),
      norms: renameAll(each.outputs.norms, t),
    })),
  };
  return defineNestedProgram({
    name: `greedy(${terms.map((term) => term.name).join(', ')})`,
    inputs,
    outputs,
    build: <T>(ops: TensorOps<T>, read: Tree<T>): Tree<T> => search(ops, terms, read as DeviceInputs<T>),
  });
}

function search<T>(
  ops: TensorOps<T>,
  terms: readonly CoverageTerm[],
  read: DeviceInputs<T>,
): DeviceOutputs<T> {
  const zero = ops.scalar(0);
  const ready = terms.map((term, t) => {
    const { weight, ...rest } = read.terms[t] as DeviceInputs<T>['terms'][number];
    const inputs: TermInputs<T> = { ...rest, tensors: read.tensors };
    const built = term.programs.whole.fresh.build(ops, inputs);
    return { ...(built as TermOutputs<T>), weight, best: `best of term ${t}` };
  });
  /** What each candidate would add to each term and in total; the total is −∞ for blocked ones. */
  const gainsAt = (state: Readonly<Record<string, T>>): { byTerm: T[]; total: T } => {
    const byTerm = ready.map(({ affinity, best }) => {
      const gainsOf = (rows: T): T => ops.sum(ops.maximum(ops.subtract(rows, state[best] as T), zero), 1);
      if (read.rows === undefined) return gainsOf(affinity);
      return ops.concat(
        read.rows.map((block) => gainsOf(ops.gather(affinity, block, 0))),
        0,
      );
    });
    const sum = ready.reduce(
      (total, { weight }, t) => ops.add(total, ops.multiply(weight, byTerm[t] as T)),
      read.bonus,
    );
    return { byTerm, total: ops.add(sum, state.blocked as T) };
  };
  const start: Record<string, T> = { blocked: read.blocked };
  // Zeros that depend on the peak: an engine that computed the peak after the loop would hold unweighted affinities until then.
  for (const { peak, best } of ready) start[best] = ops.multiply(peak, zero);
  const addedName = (t: number): string => `added to term ${t}`;
  const { state, emitted } = ops.loop(read.count, start as Readonly<Record<string, T>>, (before) => {
    const { byTerm, total } = gainsAt(before);
    const pick = ops.argMax(total, 0);
    const isPick = ops.equal(ops.range(total, 0), pick);
    const after: Record<string, T> = {
      blocked: ops.where(isPick, ops.scalar(Number.NEGATIVE_INFINITY), before.blocked as T),
    };
    for (const { affinity, best } of ready) {
      after[best] = ops.maximum(before[best] as T, ops.gather(affinity, pick, 0));
    }
    const emit: Record<string, T> = { order: pick, bonusAdded: ops.gather(read.bonus, pick, 0) };
    byTerm.forEach((gains, t) => {
      emit[addedName(t)] = ops.gather(gains, pick, 0);
    });
    return { state: after, emit };
  });
  return {
    order: emitted.order as T,
    bonusAdded: emitted.bonusAdded as T,
    leftGains: gainsAt(state).total,
    terms: ready.map(({ affinity, peak, norms }, t) => ({
      added: emitted[addedName(t)] as T,
      full: ops.sum(peak, 1),
      negative:
        terms[t]?.nonNegative === true
          ? undefined
          : ops.max(ops.subtract(zero, affinity), 0, { keepDims: true }),
      norms,
    })),
  };
}

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
  assertSupported(search);
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
  const results = await runNested(backend, program, inputs, { lean });
  const outputs = results as DeviceOutputs<HostTensor>;
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
function assertSupported({ constraints, terms }: DeviceSearch): void {
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
        `the bonuses of candidate ${j} up to '${name}' add up to ${total[j]}, above ${LARGEST_VALUE}, the limit of the maximizer ` +
          "'device', which computes in float32; scale the weights down, or use the maximizer 'lazy'",
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
      hint: "The objective may exceed what float32 holds. Scale weights and affinities down, or use the maximizer 'lazy'.",
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
