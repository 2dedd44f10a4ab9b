// The whole greedy search as one program, so that the matrices never leave the device. Written once over abstract ops.

import type { TensorOps } from '../backend/ops.js';
import { defineProgram, type Program, type TensorSpec } from '../backend/program.js';
import { type CoverageTerm, normsName, type TermProgram } from '../coverage/coverage-term.js';

/** Program inputs beside those of the terms. */
export const DEVICE_INPUTS = {
  /** Number of picks, *index* `[]`. */
  count: 'greedy:count',
  /** `[n]`: what each candidate adds whatever else is kept. */
  bonus: 'greedy:bonus',
  /** `[n]`: 0, or −∞ for candidates never to pick. */
  blocked: 'greedy:blocked',
} as const;

/** The program input that carries what only term `t` reads: its parameters, target weights and sample. */
export const ownInput = (t: number, name: string): string => `${t}:${name}`;
/** The program input `[]` with the weight of term `t`. */
export const termWeightInput = (t: number): string => ownInput(t, 'weight');
/** The program output `[k]`: what each pick added to term `t`, before the term's weight. */
export const addedOutput = (t: number): string => `added:${t}`;
/** The program output of what term `t` calls `name`. */
export const ownOutput = (t: number, name: string): string => `${t}:${name}`;
const isNorms = (name: string): boolean => name.startsWith(normsName(''));
/** The program output `[1, targets]`: how far below 0 the affinities of each target go; of terms that may go there. */
export const negativeOutput = (t: number): string => `negative:${t}`;
/** The program output `[1]`: the value of term `t`, before its weight, when every token is kept. */
export const fullOutput = (t: number): string => `full:${t}`;

const composed = new WeakMap<
  TermProgram,
  { readonly terms: readonly TermProgram[]; readonly program: Program }[]
>();

/** The program for an objective; the same terms (by their programs) give the same object, so it is compiled once. */
export function deviceGreedyProgram(terms: readonly CoverageTerm[]): Program {
  const first = terms[0] as CoverageTerm;
  const known = composed.get(first.program) ?? [];
  composed.set(first.program, known);
  const match = known.find(
    (each) =>
      each.terms.length === terms.length && each.terms.every((program, t) => program === terms[t]?.program),
  );
  if (match !== undefined) return match.program;
  const program = compose(terms);
  known.push({ terms: terms.map((term) => term.program), program });
  return program;
}

function compose(terms: readonly CoverageTerm[]): Program {
  const inputs: Record<string, TensorSpec> = {
    [DEVICE_INPUTS.count]: { dims: [], dtype: 'int32' },
    [DEVICE_INPUTS.bonus]: { dims: ['n'] },
    [DEVICE_INPUTS.blocked]: { dims: ['n'] },
  };
  const outputs: Record<string, TensorSpec> = {
    order: { dims: ['k'], dtype: 'int32' },
    bonusAdded: { dims: ['k'] },
    leftGains: { dims: ['n'] },
  };
  /** For each term, the composed program's input for each of the term's own. */
  const inputOf = terms.map(
    (term, t) => (name: string) => (term.inputs.includes(name) ? name : ownInput(t, name)),
  );
  terms.forEach((term, t) => {
    for (const [name, spec] of Object.entries(term.program.inputs)) {
      // Terms name their dimensions independently of each other; only the candidates are common to all.
      const dims = spec.dims.map((dim) => (dim === 'n' ? dim : `${t}:${dim}`));
      inputs[inputOf[t]?.(name) as string] ??= { ...spec, dims };
    }
    inputs[termWeightInput(t)] = { dims: [] };
    outputs[addedOutput(t)] = { dims: ['k'] };
    outputs[fullOutput(t)] = { dims: ['one'] };
    if (!term.nonNegative) outputs[negativeOutput(t)] = { dims: ['one', `${t}:${term.targets}`] };
    for (const [name, spec] of Object.entries(term.program.outputs)) {
      if (isNorms(name)) outputs[ownOutput(t, name)] = spec;
    }
  });

  return defineProgram({
    name: `greedy(${terms.map((term) => term.name).join(', ')})`,
    inputs,
    outputs,
    build: <T>(ops: TensorOps<T>, tensors: Readonly<Record<string, T>>) => {
      const zero = ops.scalar(0);
      const checks: Record<string, T> = {};
      const weighted = terms.map((term, t) => {
        const own = Object.fromEntries(
          Object.keys(term.program.inputs).map((name) => [name, tensors[inputOf[t]?.(name) as string] as T]),
        );
        const built = term.program.build(ops, own) as Readonly<Record<string, T>>;
        const { affinity, peak } = built as Readonly<Record<'affinity' | 'peak', T>>;
        for (const output of Object.keys(built))
          if (isNorms(output)) checks[ownOutput(t, output)] = built[output] as T;
        if (!term.nonNegative) {
          checks[negativeOutput(t)] = ops.max(ops.subtract(zero, affinity), 0, { keepDims: true });
        }
        return {
          matrix: affinity,
          full: ops.sum(peak, 1),
          weight: tensors[termWeightInput(t)] as T,
        };
      });
      const bonus = tensors[DEVICE_INPUTS.bonus] as T;
      const name = (t: number): string => `best:${t}`;
      /** What each candidate would add to each term, and in all; −∞ in all for blocked ones. */
      const gainsAt = (state: Readonly<Record<string, T>>): { byTerm: T[]; total: T } => {
        const byTerm = weighted.map(({ matrix }, t) =>
          ops.sum(ops.maximum(ops.subtract(matrix, state[name(t)] as T), zero), 1),
        );
        const sum = weighted.reduce(
          (total, { weight }, t) => ops.add(total, ops.multiply(weight, byTerm[t] as T)),
          bonus,
        );
        return { byTerm, total: ops.add(sum, state.blocked as T) };
      };
      const start = Object.fromEntries([
        ['blocked', tensors[DEVICE_INPUTS.blocked] as T],
        ...weighted.map(({ matrix }, t) => [
          name(t),
          ops.multiply(ops.max(matrix, 0, { keepDims: true }), zero),
        ]),
      ]) as Readonly<Record<string, T>>;
      const { state, emitted } = ops.loop(tensors[DEVICE_INPUTS.count] as T, start, (before) => {
        const { byTerm, total } = gainsAt(before);
        const pick = ops.argMax(total, 0);
        const after = Object.fromEntries([
          [
            'blocked',
            ops.where(
              ops.equal(ops.range(total, 0), pick),
              ops.scalar(Number.NEGATIVE_INFINITY),
              before.blocked as T,
            ),
          ],
          ...weighted.map(({ matrix }, t) => [
            name(t),
            ops.maximum(before[name(t)] as T, ops.gather(matrix, pick, 0)),
          ]),
        ]) as Readonly<Record<string, T>>;
        const emit: Record<string, T> = { order: pick, bonusAdded: ops.gather(bonus, pick, 0) };
        byTerm.forEach((gains, t) => {
          emit[addedOutput(t)] = ops.gather(gains, pick, 0);
        });
        return { state: after, emit };
      });
      return {
        ...emitted,
        ...checks,
        leftGains: gainsAt(state).total,
        ...Object.fromEntries(weighted.map(({ full }, t) => [fullOutput(t), full])),
      };
    },
  });
}
