// Runs one coverage term on a backend and checks what comes back.

import type { Backend } from '../backend/backend.js';
import type { Float32Tensor, HostTensor } from '../backend/tensor.js';
import { type CoverageTerm, normsName, TEXT } from '../coverage/coverage-term.js';
import { InvalidTensorError, MatrixTooLargeError } from '../errors.js';
import { CoverageMatrix } from '../maximize/coverage-matrix.js';
import type { CoverageBlock } from '../maximize/objective.js';
import { isUsableNorm, type NamedTensors, notFinite, type RowNorms } from './input-tensors.js';
import { assertMatrixFits, termInputs } from './term-inputs.js';

/** A coverage term's matrix, with what all candidates together reach. */
export interface TermMatrix extends CoverageBlock {
  readonly term: CoverageTerm;
  /** `[targets]`: the highest affinity each target can reach, its weight multiplied in. */
  readonly peak: Float32Array;
  /** Value of the term, before its weight, when every token is kept. */
  readonly full: number;
  /**
   * Of a term with sampled targets, the same over targets drawn anew: greedy prefers what its own sample shows, so that
   * coverage has to be measured on others.
   */
  readonly unseen?: TermMatrix;
}

/** Hands a matrix's memory back. */
export function releaseTermMatrix({ matrix, unseen }: TermMatrix): void {
  matrix.release();
  unseen?.matrix.release();
}

/** What the terms of an image have in common. */
export interface TermContext {
  readonly backend: Backend;
  readonly candidates: number;
  readonly maxMatrixBytes: number;
  /** The row norms of the image's tensors, as far as they are known. Those that a term computes are added. */
  readonly norms: RowNorms;
}

/** What turns a sample's seed into that of the targets which greedy does not see. */
const UNSEEN = 0x9e3779b9;

/**
 * Computes a term's matrix.
 * @throws InvalidTensorError if inputs do not fit, or the term yields negative or non-finite numbers.
 * @throws MatrixTooLargeError if the matrix would exceed `maxMatrixBytes`, or memory.
 */
export async function computeTermMatrix(
  term: CoverageTerm,
  tensors: NamedTensors,
  context: TermContext,
): Promise<TermMatrix> {
  const seen = await compute(term, tensors, context);
  if (term.sample === undefined || seen.matrix.targets === context.candidates) return seen;
  const anew = { ...term.sample, seed: (term.sample.seed ?? 0) ^ UNSEEN };
  try {
    return { ...seen, unseen: await compute({ ...term, sample: anew }, tensors, context) };
  } catch (error) {
    seen.matrix.release();
    throw error;
  }
}

async function compute(
  term: CoverageTerm,
  tensors: NamedTensors,
  { backend, candidates, maxMatrixBytes, norms }: TermContext,
): Promise<TermMatrix> {
  const { inputs, targets } = termInputs(term, tensors, candidates);
  assertMatrixFits(term, candidates, targets, maxMatrixBytes);
  const matrix = allocate(term, candidates, targets);
  try {
    const given = givenNorms(term, tensors, norms);
    const outputs = await backend.run(
      given === undefined ? term.program : term.programGivenNorms,
      { ...inputs, ...given },
      { into: { affinity: matrix.affinity } },
    );
    const { affinity, weights, firstGains, peak } = outputs as Readonly<Record<string, Float32Tensor>>;
    checkFinite(term, tensors, outputs);
    checkOutput(term, 'weights', weights, [1, targets]);
    checkOutput(term, 'firstGains', firstGains, [candidates, 1]);
    checkOutput(term, 'peak', peak, [1, targets]);
    checkOutput(term, 'affinity', affinity, [candidates, targets], (weights as Float32Tensor).data);
    // A backend should have written there already.
    if (affinity?.data !== matrix.affinity) matrix.affinity.set((affinity as Float32Tensor).data);
    keepNorms(term, tensors, outputs, norms);
    const highest = (peak as Float32Tensor).data;
    return {
      term,
      weight: term.weight,
      matrix,
      firstGains: (firstGains as Float32Tensor).data,
      precision: backend.precision,
      peak: highest,
      full: highest.reduce((sum, value) => sum + value, 0),
    };
  } catch (error) {
    matrix.release();
    throw error;
  }
}

function allocate(term: CoverageTerm, candidates: number, targets: number): CoverageMatrix {
  try {
    return new CoverageMatrix(candidates, targets);
  } catch (cause) {
    throw new MatrixTooLargeError(term.name, candidates, targets, undefined, { cause });
  }
}

/** The norms that `term.programGivenNorms` reads, if all of them are known. */
function givenNorms(
  term: CoverageTerm,
  tensors: NamedTensors,
  norms: RowNorms,
): Readonly<Record<string, HostTensor>> | undefined {
  const given: Record<string, HostTensor> = {};
  for (const name of term.inputs) {
    if (!(normsName(name) in term.programGivenNorms.inputs)) continue;
    const known = norms.get(tensors.get(name) as HostTensor);
    if (known === undefined) return undefined;
    given[normsName(name)] = known;
  }
  return given;
}

/** Keeps the norms of the image's tensors; a question's tensor is not met again. */
function keepNorms(
  term: CoverageTerm,
  tensors: NamedTensors,
  outputs: Readonly<Record<string, HostTensor>>,
  norms: RowNorms,
): void {
  for (const name of term.inputs) {
    const computed = outputs[normsName(name)];
    if (name !== TEXT && computed !== undefined) norms.set(tensors.get(name) as HostTensor, computed);
  }
}

/** @throws InvalidTensorError if an input of the term is not finite, going by the norms of its rows. */
export function checkFinite(
  term: CoverageTerm,
  tensors: NamedTensors,
  outputs: Readonly<Record<string, HostTensor>>,
  outputOf: (norms: string) => string = (norms) => norms,
): void {
  for (const name of term.inputs) {
    const norms = outputs[outputOf(normsName(name))]?.data as Float32Array | undefined;
    if (norms === undefined || norms.every(isUsableNorm)) continue;
    const tensor = tensors.get(name) as HostTensor;
    // The projected tokens may stand in for features that were not given.
    throw notFinite(tensor === tensors.get('vision') ? 'vision' : name, tensor);
  }
}

/**
 * Fails unless an output has the shape it should and holds finite numbers ≥ 0.
 * @param factors what its columns have been multiplied by, to name the number that the term gave.
 */
function checkOutput(
  term: CoverageTerm,
  output: string,
  tensor: Float32Tensor | undefined,
  expected: readonly [number, number],
  factors?: Float32Array,
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
  const [row, column] = [Math.floor(at / expected[1]), at % expected[1]];
  const given = (tensor.data[at] as number) / (factors?.[column] ?? 1);
  throw new InvalidTensorError(
    label,
    `row ${row}, column ${column} is ${Number(given.toPrecision(6))}; coverage must be finite and not negative`,
  );
}
