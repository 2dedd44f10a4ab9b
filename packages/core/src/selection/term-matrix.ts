// Computes a coverage term's matrix on a backend: at once, or piece by piece if it is large. Of a large symmetric matrix, only the
// blocks on and below the diagonal are computed.

import type { Backend } from '../backend/backend.js';
import { runNested } from '../backend/nested-program.js';
import { type Float32Tensor, float32, type HostTensor, type MatrixTensor } from '../backend/tensor.js';
import {
  type BlockOutputs,
  type CoverageTerm,
  type ProgramPair,
  TEXT,
  type TermOutputs,
} from '../coverage/coverage-term.js';
import { LEAST_SUM } from '../coverage/define-coverage.js';
import { MatrixTooLargeError } from '../errors.js';
import { sum } from '../internal/rows.js';
import { type CoverageBlock, CoverageMatrix, type MatrixMemory } from '../search/objective.js';
import { type Draw, drawByImportance, drawEvenly, rarity } from '../search/sampling.js';
import { type EqualRows, equalCandidates, settleTies } from './equal-rows.js';
import { fillSymmetric, weighColumns } from './symmetric-matrix.js';
import {
  checkBlock,
  checkOutput,
  checkOutputs,
  checkTensors,
  countTargets,
  type NamedTensors,
  programInputs,
  type RowNorms,
  relativeWeights,
  type TermTensors,
  termTensors,
} from './tensors.js';

/** A coverage term's matrix, with what all candidates together reach. */
export interface TermMatrix extends CoverageBlock {
  readonly term: CoverageTerm;
  /** `[targets]`: the weight of each target. */
  readonly weights: Float32Array;
  /** `[targets]`: the highest affinity each target can reach, its weight multiplied in. */
  readonly peak: Float32Array;
  /** Value of the term, before its weight, when every token is kept. */
  readonly full: number;
  /**
   * For a term with sampled targets, its matrix over newly drawn targets: greedy overfits its own sample, so coverage is measured on
   * another one.
   */
  readonly unseen?: TermMatrix | undefined;
}

/** Releases a matrix's memory. */
export function releaseTermMatrix({ matrix, unseen }: TermMatrix): void {
  matrix.release();
  unseen?.matrix.release();
}

/** What all terms of an image share. */
export interface TermContext {
  readonly backend: Backend;
  readonly candidates: number;
  readonly maxMatrixBytes: number;
  readonly memory: MatrixMemory;
  /** The known row norms of the image's tensors. Those that a term computes are added. */
  readonly norms: RowNorms;
  /** For the image's tensors, which rows are equal; found on first use. */
  readonly equal: EqualRows;
}

/** Combined with a sample's seed, the seed of the targets that greedy does not see. */
const UNSEEN = 0x9e3779b9;
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
/**
 * Matrices above this are computed piece by piece, because engines hold several copies of what they compute. The matrix of 2,880
 * tokens, the most of a LLaVA-NeXT image, is smaller, so engines can exploit its symmetry.
 */
const WHOLE_BYTES = 2 ** 25;
/** The most bytes of a piece. It is also at most 1/32 of the matrix, because about ten copies of it are held at once. */
const LARGEST_PIECE = 2 ** 24;
/** Peak memory while a matrix is computed, as a multiple of its size. Large matrices save memory, small ones time. */
const PEAK_OF_LARGE = 2.5;
const PEAK_OF_SMALL = 10;
/** In addition, engines hold copies of the tensors that the term reads: plain, scaled or squared. */
const TENSOR_COPIES = 3;

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
  const { candidates } = context;
  const { sample } = term;
  if (sample === undefined || sample.targets >= candidates) return await compute(term, tensors, context);
  const { targets, seed = 0 } = sample;
  const draw = drawEvenly(candidates, targets, seed);
  const seen = await compute(term, tensors, context, draw);
  try {
    const importance = rarity(seen.matrix.affinity, seen.weights, draw, candidates);
    const unseen = drawByImportance(importance, targets, seed ^ UNSEEN);
    return { ...seen, unseen: await compute(term, tensors, context, unseen) };
  } catch (error) {
    seen.matrix.release();
    throw error;
  }
}

async function compute(
  term: CoverageTerm,
  tensors: NamedTensors,
  context: TermContext,
  draw?: Draw,
): Promise<TermMatrix> {
  const { candidates, backend } = context;
  const used = termTensors(term, tensors, candidates);
  const all = countTargets(term, used, candidates);
  const targets = draw?.indices.length ?? all;
  const factors = draw?.factors ?? relativeWeights(term, all);
  const isCut = isInPieces(term, candidates, targets);
  assertMatrixFits(term, used, { candidates, targets, ceiling: context.maxMatrixBytes });
  const matrix = allocate(term, targets, context);
  const job: MatrixJob = { term, tensors, used, factors, matrix, context };
  try {
    const filled =
      isCut && draw === undefined && term.programs.block !== undefined
        ? await fillByBlocks(job)
        : await fillByTargets(job, isCut, draw?.indices);
    settleTies(matrix, filled.firstGains, equalCandidates(term.inputs, used, context), backend.precision);
    const { weight } = term;
    return { term, weight, matrix, ...filled, precision: backend.precision, full: sum(filled.peak) };
  } catch (error) {
    matrix.release();
    throw error;
  }
}

/** A matrix to be filled. */
interface MatrixJob {
  readonly term: CoverageTerm;
  readonly tensors: NamedTensors;
  readonly used: TermTensors;
  /** `[targets]`: the caller's weight of each target, or the correction for how it was drawn. */
  readonly factors: Float32Array;
  readonly matrix: CoverageMatrix;
  readonly context: TermContext;
}

type Filled = Pick<TermMatrix, 'weights' | 'peak' | 'firstGains'>;

/** Fills a matrix, at once or in groups of targets. */
async function fillByTargets(job: MatrixJob, isCut: boolean, drawn: Int32Array | undefined): Promise<Filled> {
  const { term, tensors, used, factors, matrix, context } = job;
  const { candidates, targets } = matrix;
  const { norms, backend } = context;
  const indices = drawn ?? (isCut ? indicesTo(targets) : undefined);
  const weights = new Float32Array(targets);
  const peak = new Float32Array(targets);
  const firstGains = new Float32Array(candidates);
  const size = isCut ? pieceWidth(candidates, targets) : targets;
  const spare = isCut ? new Float32Array(candidates * size) : undefined;
  for (let start = 0; start === 0 || start < targets; start += size) {
    const width = Math.min(size, targets - start);
    const part = indices?.subarray(start, start + width);
    const known = givenNorms(term, used, norms);
    const programs = (part === undefined ? term.programs.whole : term.programs.drawn) as ProgramPair;
    const program = known === undefined ? programs.fresh : programs.givenNorms;
    const place = spare?.subarray(0, candidates * width) ?? matrix.affinity;
    const inputs = programInputs(term, used, factors.subarray(start, start + width), known, part);
    const outputs = (await runNested(backend, program, inputs, {
      into: { affinity: place },
      lean: !isCut && isLarge(candidates, targets),
    })) as TermOutputs<Float32Tensor>;
    checkTensors(used, outputs.norms, tensors);
    checkOutputs(term, outputs, candidates, width, start);
    weights.set(outputs.weights.data, start);
    peak.set(outputs.peak.data, start);
    const { data: gains } = outputs.firstGains;
    for (let j = 0; j < candidates; j++) firstGains[j] = (firstGains[j] as number) + (gains[j] as number);
    // A backend that supports `into` has already written there.
    const { data } = outputs.affinity;
    if (isCut) copyColumns(data, width, matrix, start);
    else if (data !== matrix.affinity) matrix.affinity.set(data);
    keepNorms(used, outputs, norms);
  }
  return { weights, peak, firstGains };
}

/** Fills the matrix of a calibrated term from the blocks of one half. The weights follow once all sums are known. */
async function fillByBlocks({ term, tensors, used, factors, matrix, context }: MatrixJob): Promise<Filled> {
  const { candidates, targets } = matrix;
  const { norms, backend } = context;
  const block = term.programs.block as ProgramPair;
  const peak = new Float32Array(targets);
  const size = pieceWidth(candidates, targets);
  const spare = new Float32Array(candidates * size);
  const sums = await fillSymmetric(matrix, size, async (start, width) => {
    const known = givenNorms(term, used, norms);
    const program = known === undefined ? block.fresh : block.givenNorms;
    const inputs = programInputs(
      term,
      rowsFrom(used, start),
      factors.subarray(start, start + width),
      known && rowsFrom(known, start),
      indicesTo(width),
    );
    const outputs = (await runNested(backend, program, inputs, {
      into: { affinity: spare.subarray(0, (candidates - start) * width) },
    })) as BlockOutputs<Float32Tensor>;
    checkTensors(used, outputs.norms, tensors);
    checkBlock(term, outputs, candidates - start, width, start);
    peak.set(outputs.peak.data, start);
    keepNorms(used, outputs, norms);
    return outputs.affinity.data;
  });
  const weights = Float32Array.from(
    sums,
    (total, i) => (factors[i] as number) / targets / Math.max(total, LEAST_SUM),
  );
  checkOutput(term, 'weights', float32(weights, [1, targets]), [1, targets]);
  const firstGains = weighColumns(matrix, weights);
  checkOutput(term, 'firstGains', float32(firstGains, [candidates, 1]), [candidates, 1]);
  return { weights, peak: peak.map((highest, i) => highest * (weights[i] as number)), firstGains };
}

const indicesTo = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

/** The same tensors without the rows before `start`, in the same memory. */
function rowsFrom<T extends HostTensor>(
  tensors: Readonly<Record<string, T>>,
  start: number,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const [rows = 0, width = 0] = tensor.dims;
      const data = tensor.data.subarray(start * width);
      return [name, { ...tensor, data, dims: [rows - start, width] } as T];
    }),
  );
}

/** How many targets to compute at once. */
function pieceWidth(candidates: number, targets: number): number {
  return Math.max(
    32,
    Math.min(Math.ceil(targets / 32), Math.floor(LARGEST_PIECE / FLOAT_BYTES / candidates)),
  );
}

/** Whether a matrix is so large that memory matters more than time. */
export function isLarge(candidates: number, targets: number): boolean {
  return candidates * targets * FLOAT_BYTES > WHOLE_BYTES;
}

/** Whether a term's matrix is computed piece by piece. */
function isInPieces(term: CoverageTerm, candidates: number, targets: number): boolean {
  return term.programs.drawn !== undefined && isLarge(candidates, targets);
}

/** @throws MatrixTooLargeError if the term's matrix would exceed the ceiling in bytes. */
export function assertMatrixFits(
  term: CoverageTerm,
  tensors: TermTensors,
  matrix: { readonly candidates: number; readonly targets: number; readonly ceiling: number },
): void {
  const { candidates, targets, ceiling } = matrix;
  const bytes = candidates * targets * FLOAT_BYTES;
  if (bytes <= ceiling) return;
  const floats = sum(Object.values(tensors).map(({ data }) => data.length));
  const factor = isLarge(candidates, targets) ? PEAK_OF_LARGE : PEAK_OF_SMALL;
  const peak = factor * bytes + TENSOR_COPIES * floats * FLOAT_BYTES;
  throw new MatrixTooLargeError(term.name, candidates, targets, remedyFor(term), { ceiling, peak });
}

/** How to make a term's matrix smaller, an imperative clause. */
function remedyFor({ targets, sample, programs }: CoverageTerm): string {
  if (sample !== undefined) return `Sample fewer targets than sample: { targets: ${sample.targets} }`;
  if (programs.drawn !== undefined)
    return 'Sample its targets: give the term the option sample: { targets: 2048 }';
  if (targets === 'n')
    return 'Define the term with drawsTargets: true and context.draw, so that its targets can be sampled';
  return `Pass fewer targets (rows or columns of its dimension '${targets}')`;
}

function allocate(term: CoverageTerm, targets: number, { candidates, memory }: TermContext): CoverageMatrix {
  try {
    return new CoverageMatrix(candidates, targets, memory);
  } catch (cause) {
    throw new MatrixTooLargeError(term.name, candidates, targets, remedyFor(term), { cause });
  }
}

/** The norms of the image's tensors, if those of all that the term reads are known. */
function givenNorms(
  term: CoverageTerm,
  tensors: TermTensors,
  norms: RowNorms,
): Readonly<Record<string, HostTensor>> | undefined {
  const given: Record<string, HostTensor> = {};
  for (const name of Object.keys(term.inputs)) {
    if (name === TEXT) continue;
    const known = norms.get(tensors[name] as MatrixTensor);
    if (known === undefined) return undefined;
    given[name] = known;
  }
  return given;
}

/** Keeps the norms of the image's tensors. A question's tensor is used once. */
function keepNorms(tensors: TermTensors, outputs: BlockOutputs<Float32Tensor>, norms: RowNorms): void {
  for (const [name, computed] of Object.entries(outputs.norms)) {
    if (name !== TEXT) norms.set(tensors[name] as MatrixTensor, computed);
  }
}

/** Puts a piece `[candidates, width]` into the matrix, from column `start` on. */
function copyColumns(
  piece: Float32Array,
  width: number,
  { affinity, targets, candidates }: CoverageMatrix,
  start: number,
): void {
  for (let j = 0; j < candidates; j++) {
    affinity.set(piece.subarray(j * width, (j + 1) * width), j * targets + start);
  }
}
