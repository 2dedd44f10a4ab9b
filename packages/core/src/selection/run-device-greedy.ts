// The greedy search on the backend: everything in one program, indices and gains back.

import type { Backend } from '../backend/backend.js';
import { float32, type HostTensor } from '../backend/tensor.js';
import type { CoverageTerm } from '../coverage/coverage-term.js';
import { InvalidOptionsError, InvalidTensorError } from '../errors.js';
import {
  addedOutput,
  DEVICE_INPUTS,
  deviceGreedyProgram,
  fullOutput,
  negativeOutput,
  ownInput,
  ownOutput,
  termWeightInput,
} from '../maximize/device-greedy-program.js';
import type { Constraints, Eligibility } from '../maximize/eligibility.js';
import type { BonusBlock } from '../maximize/objective.js';
import type { Budget } from './budget.js';
import { coverageTarget } from './coverage-target.js';
import type { NamedTensors } from './input-tensors.js';
import type { SelectionTrace } from './selection.js';
import { assertMatrixFits, termInputs } from './term-inputs.js';
import { checkFinite } from './term-matrix.js';

/** What {@link runDeviceGreedy} takes. */
export interface DeviceRun {
  readonly backend: Backend;
  readonly candidates: number;
  readonly terms: readonly CoverageTerm[];
  readonly tensors: NamedTensors;
  readonly bonuses: readonly BonusBlock[];
  readonly budget: Budget;
  readonly atMost: number;
  readonly atLeast: number;
  readonly constraints: Constraints;
  readonly eligibility: Eligibility;
  readonly maxMatrixBytes: number;
}

/**
 * Runs greedy on the backend. Knows exclusions, but neither must-keeps, groups nor sampled targets.
 * @throws InvalidOptionsError for constraints it does not know.
 */
export async function runDeviceGreedy(run: DeviceRun): Promise<SelectionTrace> {
  const { candidates, terms, constraints, eligibility } = run;
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
  const sampled = terms.find((term) => term.sample !== undefined);
  if (sampled !== undefined) {
    throw new InvalidOptionsError('coverage', [
      `the maximizer 'device' covers all targets, but the term '${sampled.name}' samples them; use the maximizer 'lazy'`,
    ]);
  }
  const inputs: Record<string, HostTensor> = {};
  terms.forEach((term, t) => {
    const own = termInputs(term, run.tensors, candidates);
    assertMatrixFits(term, candidates, own.targets, run.maxMatrixBytes);
    for (const [name, tensor] of Object.entries(own.inputs)) {
      inputs[term.inputs.includes(name) ? name : ownInput(t, name)] = tensor;
    }
    inputs[termWeightInput(t)] = float32(Float32Array.of(term.weight), []);
  });
  const bonus = new Float32Array(candidates);
  for (const each of run.bonuses)
    each.bonus.forEach((value, j) => {
      bonus[j] = (bonus[j] as number) + each.weight * value;
    });
  const blocked = new Float32Array(candidates).map((_, j) =>
    eligibility.allows(j) ? 0 : Number.NEGATIVE_INFINITY,
  );
  const count = Math.min(run.atMost, eligibility.selectable);
  inputs[DEVICE_INPUTS.bonus] = float32(bonus, [candidates]);
  inputs[DEVICE_INPUTS.blocked] = float32(blocked, [candidates]);
  inputs[DEVICE_INPUTS.count] = { type: 'int32', data: Int32Array.of(count), dims: [] };

  const outputs = await run.backend.run(deviceGreedyProgram(terms), inputs);
  terms.forEach((term, t) => {
    checkFinite(term, run.tensors, outputs, (norms) => ownOutput(t, norms));
  });
  const numbers = (name: string): number[] => Array.from(outputs[name]?.data ?? []);
  const order = numbers('order');
  const added = terms.map((_, t) => numbers(addedOutput(t)));
  const full = terms.map((_, t) => numbers(fullOutput(t))[0] as number);
  terms.forEach((term, t) => {
    const isWrong = (value: number): boolean => !(value >= 0 && value < Number.POSITIVE_INFINITY);
    const isNegative = numbers(negativeOutput(t)).some((value) => !(value <= 0));
    if (!isNegative && !isWrong(full[t] as number) && !added[t]?.some(isWrong)) return;
    throw new InvalidTensorError(`coverage(${term.name})`, 'the term is negative or not finite somewhere');
  });
  const bonusAdded = numbers('bonusAdded');
  const weighted = terms.map((term, t) => ({ weight: term.weight, full: full[t] as number }));
  const gains = order.map((_, i) =>
    added.reduce(
      (sum, list, t) => sum + (terms[t]?.weight ?? 0) * (list[i] as number),
      bonusAdded[i] as number,
    ),
  );

  const target =
    'coverage' in run.budget
      ? coverageTarget(run.budget.coverage, weighted, run.bonuses)
      : Number.POSITIVE_INFINITY;
  let value = 0;
  let picks = 0;
  while (picks < order.length && !(value >= target && picks >= run.atLeast))
    value += gains[picks++] as number;
  const isWhole = picks === order.length;
  return {
    order: order.slice(0, picks),
    gains: gains.slice(0, picks),
    terms: terms.map((term, t) => ({
      name: term.name,
      full: full[t] as number,
      added: (added[t] as number[]).slice(0, picks),
    })),
    coverageError: {},
    // The gains left are known for the last pick only; before it, the next pick's gain bounds them.
    leftGains: isWhole
      ? numbers('leftGains')
          .filter((gain) => gain > Number.NEGATIVE_INFINITY)
          .sort((a, b) => b - a)
          .slice(0, picks)
      : new Array<number>(picks).fill(gains[picks] as number),
    included: 0,
    steepest: true,
    reason: value >= target ? 'coverageReached' : picks < run.atMost ? 'allSelectable' : 'pruned',
  };
}
