// The whole greedy search as one program, so that the matrices never leave the device.

import { defineNestedProgram, type NestedProgram, type Tree } from '../backend/nested-program.js';
import type { TensorOps } from '../backend/ops.js';
import type { TensorSpec } from '../backend/program.js';
import type { CoverageTerm, TermInputs, TermOutputs } from '../coverage/coverage-term.js';

/** Inputs of the program. */
export interface DeviceInputs<T> {
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
  /** The tensors that terms ask for, by name. */
  readonly tensors: Readonly<Record<string, T>>;
  /** Inputs of a single term, and its weight `[]`. */
  readonly terms: readonly (Omit<TermInputs<T>, 'tensors'> & { readonly weight: T })[];
}

/** Outputs of the program. */
export interface DeviceOutputs<T> {
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
}

const composed = new WeakMap<
  NestedProgram,
  { readonly terms: readonly NestedProgram[]; readonly blocks: number; readonly program: NestedProgram }[]
>();

/**
 * The program for an objective. Equal terms (by their programs) give the same object, so it is compiled once.
 * @param blocks the length of {@link DeviceInputs.rows}; 0 if absent.
 */
export function deviceProgram(terms: readonly CoverageTerm[], blocks: number): NestedProgram {
  const programs = terms.map((term) => term.programs.whole);
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
    inputs: term.programs.whole.inputs as unknown as TermInputs<TensorSpec>,
    outputs: term.programs.whole.outputs as unknown as TermOutputs<TensorSpec>,
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
    inputs: inputs as unknown as Tree<TensorSpec>,
    outputs: outputs as unknown as Tree<TensorSpec>,
    build: <T>(ops: TensorOps<T>, read: Tree<T>): Tree<T> =>
      search(ops, terms, read as unknown as DeviceInputs<T>) as unknown as Tree<T>,
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
    const built = term.programs.whole.build(ops, inputs as unknown as Tree<T>);
    return { ...(built as unknown as TermOutputs<T>), weight, best: `best of term ${t}` };
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
