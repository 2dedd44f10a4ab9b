// The tensors one coverage term's program is run on: the caller's, its parameters, its targets' weights, its sample.

import { float32, type HostTensor } from '../backend/tensor.js';
import { type CoverageTerm, parameterInput, SAMPLE, TARGET_WEIGHTS } from '../coverage/coverage-term.js';
import { InvalidTensorError, MatrixTooLargeError } from '../errors.js';
import { createRandom, shuffleFront } from '../internal/random.js';
import type { NamedTensors } from './input-tensors.js';

/**
 * The inputs of `term.program`, and how many targets it will have.
 * @throws InvalidTensorError if an input does not fit the number of vision tokens, or the weights per target do not fit.
 */
export function termInputs(
  term: CoverageTerm,
  tensors: NamedTensors,
  candidates: number,
): { readonly inputs: Readonly<Record<string, HostTensor>>; readonly targets: number } {
  const inputs: Record<string, HostTensor> = {};
  for (const name of term.inputs) {
    const tensor = tensors.get(name) as HostTensor;
    const rows = tensor.dims[term.program.inputs[name]?.dims.indexOf('n') ?? -1] ?? candidates;
    if (rows !== candidates) {
      throw new InvalidTensorError(
        `coverage(${term.name}).${name}`,
        `expected n = ${candidates}, the number of vision tokens, got shape [${tensor.dims.join(', ')}]`,
      );
    }
    inputs[name] = tensor;
  }
  if (term.sample !== undefined) {
    const drawn = drawTargets(candidates, term.sample.targets, term.sample.seed ?? 0);
    inputs[SAMPLE] = { type: 'int32', data: drawn, dims: [drawn.length] };
  }
  for (const [name, value] of Object.entries(term.parameters)) {
    inputs[parameterInput(name)] = float32(Float32Array.of(value), []);
  }
  const targets = countTargets(term, inputs);
  inputs[TARGET_WEIGHTS] = float32(relativeWeights(term, targets), [1, targets]);
  return { inputs, targets };
}

/** @throws MatrixTooLargeError if the term's matrix would exceed `maxMatrixBytes`. */
export function assertMatrixFits(
  term: CoverageTerm,
  candidates: number,
  targets: number,
  maxMatrixBytes: number,
): void {
  if (candidates * targets * Float32Array.BYTES_PER_ELEMENT <= maxMatrixBytes) return;
  throw new MatrixTooLargeError(term.name, candidates, targets, maxMatrixBytes);
}

/** The length of the term's target dimension, from the input that has it. */
function countTargets(term: CoverageTerm, inputs: Readonly<Record<string, HostTensor>>): number {
  for (const [name, { dims }] of Object.entries(inputs)) {
    const axis = term.program.inputs[name]?.dims.indexOf(term.targets) ?? -1;
    if (axis >= 0) return dims[axis] as number;
  }
  throw new InvalidTensorError(`coverage(${term.name})`, `no input has the dimension '${term.targets}'`);
}

/** The caller's weights per target, scaled to a mean of 1. */
function relativeWeights(term: CoverageTerm, targets: number): Float32Array {
  const given = term.targetWeights;
  if (given === undefined) return new Float32Array(targets).fill(1);
  const label = `coverage(${term.name}).targetWeights`;
  if (given.length !== targets) {
    throw new InvalidTensorError(label, `expected ${targets} weights, one per target, got ${given.length}`);
  }
  const sum = given.reduce((total, weight) => total + weight, 0);
  if (!(sum > 0)) throw new InvalidTensorError(label, 'at least one weight must be above 0');
  return Float32Array.from(given, (weight) => (weight * targets) / sum);
}

/** `count` of `candidates` indices, drawn without replacement, ascending. */
function drawTargets(candidates: number, count: number, seed: number): Int32Array {
  const all = Int32Array.from({ length: candidates }, (_, j) => j);
  if (count >= candidates) return all;
  shuffleFront(all, count, createRandom(seed));
  return all.slice(0, count).sort();
}
