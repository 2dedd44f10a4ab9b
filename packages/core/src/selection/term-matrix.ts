// Runs one coverage term on a backend and checks what comes back.

import type { Backend } from '../backend/backend.js';
import { type Float32Tensor, float32, type HostTensor } from '../backend/tensor.js';
import { type CoverageTerm, parameterInput, TARGET_WEIGHTS } from '../coverage/coverage-term.js';
import { InvalidTensorError, MatrixTooLargeError } from '../errors/index.js';
import { CoverageMatrix } from '../maximize/coverage-matrix.js';
import type { CoverageBlock } from '../maximize/objective.js';
import type { NamedTensors } from './input-tensors.js';

/** A coverage term's matrix, with what all candidates together reach. */
export interface TermMatrix extends CoverageBlock {
  readonly term: CoverageTerm;
  /** Value of the term, before its weight, when every token is kept. */
  readonly full: number;
}

/**
 * Computes a term's matrix.
 * @throws InvalidTensorError if inputs do not fit, or the term yields negative or non-finite numbers.
 * @throws MatrixTooLargeError if the matrix would exceed `maxMatrixBytes`.
 */
export async function computeTermMatrix(
  backend: Backend,
  term: CoverageTerm,
  tensors: NamedTensors,
  candidates: number,
  maxMatrixBytes: number,
): Promise<TermMatrix> {
  const targets = countTargets(term, tensors);
  if (candidates * targets * Float32Array.BYTES_PER_ELEMENT > maxMatrixBytes) {
    throw new MatrixTooLargeError(term.name, candidates, targets, maxMatrixBytes);
  }
  const inputs: Record<string, HostTensor> = {
    [TARGET_WEIGHTS]: float32(relativeWeights(term, targets), [1, targets]),
  };
  for (const name of term.inputs) inputs[name] = tensors.get(name) as HostTensor;
  for (const [name, value] of Object.entries(term.parameters)) {
    inputs[parameterInput(name)] = float32(Float32Array.of(value), []);
  }
  const matrix = new CoverageMatrix(candidates, targets);
  try {
    const into = { affinity: matrix.affinity, weights: matrix.targetWeights };
    const outputs = await backend.run(term.program, inputs, { into });
    const { affinity, weights, firstGains, peak } = outputs as Readonly<Record<string, Float32Tensor>>;
    checkOutput(term, 'weights', weights, [1, targets]);
    checkOutput(term, 'firstGains', firstGains, [candidates, 1]);
    checkOutput(term, 'peak', peak, [1, targets]);
    checkOutput(term, 'affinity', affinity, [candidates, targets]);
    const full = matrix.targetWeights.reduce((sum, weight, i) => sum + weight * (peak?.data[i] as number), 0);
    return { term, weight: term.weight, matrix, firstGains: (firstGains as Float32Tensor).data, full };
  } catch (error) {
    matrix.release();
    throw error;
  }
}

/** Fails unless an output has the shape it should and holds finite numbers ≥ 0. */
function checkOutput(
  term: CoverageTerm,
  output: keyof CoverageTerm['program']['outputs'],
  tensor: Float32Tensor | undefined,
  expected: readonly [number, number],
): void {
  const label = `coverage(${term.name}).${output}`;
  const dims = tensor?.dims ?? [];
  if (tensor === undefined || dims.join() !== expected.join()) {
    throw new InvalidTensorError(label, `expected shape [${expected.join(', ')}], got [${dims.join(', ')}]`);
  }
  // A wrong entry of the matrix shows in its sums as well, unless signs may cancel.
  if (output === 'affinity' && term.nonNegative) return;
  const at = tensor.data.findIndex((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY));
  if (at < 0) return;
  const columns = expected[1];
  throw new InvalidTensorError(
    label,
    `row ${Math.floor(at / columns)}, column ${at % columns} is ${tensor.data[at]}; coverage must be finite and not negative`,
  );
}

/** The length of the term's target dimension, from the input that has it. */
function countTargets(term: CoverageTerm, tensors: NamedTensors): number {
  for (const name of term.inputs) {
    const axis = term.program.inputs[name]?.dims.indexOf(term.targets) ?? -1;
    if (axis >= 0) return tensors.get(name)?.dims[axis] as number;
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
