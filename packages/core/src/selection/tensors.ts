// The tensors of a selection: reads them from the caller's input, gives each term those it asks for, and checks them by their row
// norms. Also checks the outputs of terms.

import {
  type Float32Tensor,
  float32,
  type HostTensor,
  type MatrixInput,
  type MatrixTensor,
  toMatrix,
  widen,
} from '../backend/tensor.js';
import {
  type BlockOutputs,
  type CoverageTerm,
  TEXT,
  type TermInputs,
  type TermOutputs,
} from '../coverage/coverage-term.js';
import { InvalidTensorError } from '../errors.js';
import { sum } from '../internal/rows.js';

/** Tensors by the names that coverage terms use. */
export type NamedTensors = ReadonlyMap<string, MatrixTensor>;

/** Row norms `[rows, 1]` by tensor, so that a tensor with two names has one entry. */
export type RowNorms = Map<HostTensor, HostTensor>;

/** Larger values would overflow when squared in float32, so row norms would be unusable. */
const LARGEST = 1e18;
/** Shorter rows cannot be normalized: the kernels divide by at least this. */
const SHORTEST = 1e-8;
/** Tensors whose rows are compared by direction. Rows of other tensors may have any length. */
const DIRECTIONS = ['vision', 'visionFeatures', TEXT];

/**
 * Reads named matrices, skipping absent ones.
 * @throws InvalidTensorError for anything that is not a matrix of numbers.
 */
export function readTensors(
  inputs: Readonly<Record<string, MatrixInput | undefined>>,
): Map<string, MatrixTensor> {
  const tensors = new Map<string, MatrixTensor>();
  for (const [name, input] of Object.entries(inputs)) {
    if (input !== undefined) tensors.set(name, toMatrix(name, input));
  }
  return tensors;
}

/** Number of rows of a tensor. */
export function rowCount(tensor: HostTensor): number {
  return tensor.dims[0] as number;
}

/**
 * Checks a tensor by its row norms, which the backend computes anyway. Values are scanned only if something is wrong.
 * @throws InvalidTensorError for numbers that are not finite or too large, and for rows too short to be normalized.
 */
function checkRows(name: string, tensor: MatrixTensor, norms: ArrayLike<number>): void {
  for (let row = 0; row < norms.length; row++) {
    const norm = norms[row] as number;
    if (norm >= SHORTEST && norm <= LARGEST) continue;
    if (norm >= 0 && norm < SHORTEST) {
      if (!DIRECTIONS.includes(name) || isZero(tensor, row)) continue;
      throw new InvalidTensorError(
        name,
        `row ${row} is shorter than ${SHORTEST}, so its direction would be lost; scale the tensor up`,
      );
    }
    throw notFinite(name, tensor);
  }
}

function notFinite(name: string, tensor: MatrixTensor): InvalidTensorError {
  const { data } = widen(tensor);
  const columns = tensor.dims[1] as number;
  const at = data.findIndex((value) => !(Math.abs(value) <= LARGEST));
  return new InvalidTensorError(
    name,
    at < 0
      ? `a row is longer than ${LARGEST}; scale the tensor down`
      : `row ${Math.floor(at / columns)}, column ${at % columns} is ${data[at]}; every value must be finite and below ${LARGEST} in magnitude`,
  );
}

function isZero({ data, dims, type }: MatrixTensor, row: number): boolean {
  const width = dims[1] as number;
  const isNothing = (value: number): boolean => value === 0 || (type === 'float16' && value === 0x8000);
  return (data.subarray(row * width, (row + 1) * width) as Float32Array).every(isNothing);
}

/** The tensors that a term reads, by name. */
export type TermTensors = Readonly<Record<string, MatrixTensor>>;

/**
 * The tensors that a term reads.
 * @throws InvalidTensorError if one does not fit the number of vision tokens.
 */
export function termTensors(term: CoverageTerm, tensors: NamedTensors, candidates: number): TermTensors {
  const entries = Object.entries(term.inputs).map(([name, dims]) => {
    const tensor = tensors.get(name) as MatrixTensor;
    const axis = dims.indexOf('n');
    if (axis >= 0 && tensor.dims[axis] !== candidates) {
      throw new InvalidTensorError(
        `coverage(${term.name}).${name}`,
        `expected n = ${candidates}, the number of vision tokens, got shape [${tensor.dims.join(', ')}]`,
      );
    }
    return [name, tensor] as const;
  });
  return Object.fromEntries(entries);
}

/** The length of the term's target dimension, from the input that has it. */
export function countTargets(term: CoverageTerm, tensors: TermTensors, candidates: number): number {
  if (term.targets === 'n') return candidates;
  for (const [name, dims] of Object.entries(term.inputs)) {
    const axis = dims.indexOf(term.targets);
    if (axis >= 0) return tensors[name]?.dims[axis] as number;
  }
  throw new InvalidTensorError(`coverage(${term.name})`, `no input has the dimension '${term.targets}'`);
}

/** The inputs of a term's program. */
export function programInputs(
  term: CoverageTerm,
  tensors: TermTensors,
  targetWeights: Float32Array,
  norms: Readonly<Record<string, HostTensor>> = {},
  drawn?: Int32Array,
): TermInputs<HostTensor> {
  return {
    tensors,
    parameters: Object.fromEntries(
      Object.entries(term.parameters).map(([name, value]) => [name, float32(Float32Array.of(value), [])]),
    ),
    targetWeights: float32(targetWeights, [1, targetWeights.length]),
    norms,
    drawn: drawn && { type: 'int32', data: drawn, dims: [drawn.length] },
  };
}

/** The caller's weights per target, scaled to a mean of 1. */
export function relativeWeights(term: CoverageTerm, targets: number): Float32Array {
  const given = term.targetWeights;
  if (given === undefined) return new Float32Array(targets).fill(1);
  const label = `coverage(${term.name}).targetWeights`;
  if (given.length !== targets) {
    throw new InvalidTensorError(label, `expected ${targets} weights, one per target, got ${given.length}`);
  }
  const total = sum(given);
  if (!(total > 0)) throw new InvalidTensorError(label, 'at least one weight must be above 0');
  return Float32Array.from(given, (weight) => (weight / total) * targets);
}

/**
 * Checks the tensors that a term reads by their row norms.
 * @throws InvalidTensorError as {@link checkRows}.
 */
export function checkTensors(
  used: TermTensors,
  norms: Readonly<Record<string, HostTensor | undefined>>,
  tensors: NamedTensors,
): void {
  for (const [name, computed] of Object.entries(norms)) {
    if (computed === undefined) continue;
    const tensor = used[name] as MatrixTensor;
    // The projected tokens may stand in for features that were not given.
    checkRows(tensor === tensors.get('vision') ? 'vision' : name, tensor, computed.data);
  }
}

/** @throws InvalidTensorError unless a term's outputs have the right shapes and hold finite numbers ≥ 0. */
export function checkOutputs(
  term: CoverageTerm,
  outputs: TermOutputs<Float32Tensor>,
  candidates: number,
  targets: number,
  start: number,
): void {
  const { weights, firstGains } = outputs;
  checkOutput(term, 'weights', weights, [1, targets], start);
  checkOutput(term, 'firstGains', firstGains, [candidates, 1]);
  checkBlock(term, outputs, candidates, targets, start, weights.data);
}

/**
 * @throws InvalidTensorError likewise for a block. The affinity is checked only if it may be negative: otherwise, a number that is not
 * finite shows in the sums as well.
 */
export function checkBlock(
  term: CoverageTerm,
  { peak, affinity }: BlockOutputs<Float32Tensor>,
  candidates: number,
  targets: number,
  start: number,
  factors?: Float32Array,
): void {
  checkOutput(term, 'peak', peak, [1, targets], start);
  checkShape(term, 'affinity', affinity, [candidates, targets]);
  if (!term.nonNegative) checkOutput(term, 'affinity', affinity, [candidates, targets], start, factors);
}

function checkShape(
  term: CoverageTerm,
  output: string,
  tensor: Float32Tensor | undefined,
  expected: readonly [number, number],
): void {
  const dims = tensor?.dims ?? [];
  if (dims.join() === expected.join()) return;
  throw new InvalidTensorError(
    `coverage(${term.name}).${output}`,
    `expected shape [${expected.join(', ')}], got [${dims.join(', ')}]`,
  );
}

/**
 * @param start the target of the first column.
 * @param factors what the columns have been multiplied by, to name the number that the term gave.
 */
export function checkOutput(
  term: CoverageTerm,
  output: string,
  tensor: Float32Tensor,
  expected: readonly [number, number],
  start = 0,
  factors?: Float32Array,
): void {
  checkShape(term, output, tensor, expected);
  const { data } = tensor;
  let at = 0;
  while (at < data.length && (data[at] as number) >= 0 && (data[at] as number) < Number.POSITIVE_INFINITY)
    at++;
  if (at === data.length) return;
  const [row, column] = [Math.floor(at / expected[1]), at % expected[1]];
  const given = (data[at] as number) / (factors?.[column] ?? 1);
  throw new InvalidTensorError(
    `coverage(${term.name}).${output}`,
    `row ${row}, column ${start + column} is ${Number(given.toPrecision(6))}; coverage must be finite and not negative`,
  );
}
