// An image made ready for selections: whatever does not depend on the question is computed once and kept.

import type { Backend } from '../backend/backend.js';
import { type HostTensor, widen } from '../backend/tensor.js';
import { type CoverageTerm, type ObjectiveTerm, TEXT } from '../coverage/coverage-term.js';
import { textCoverage } from '../coverage/text-coverage.js';
import { visionCoverage } from '../coverage/vision-coverage.js';
import { DisposedError, InvalidOptionsError, InvalidTensorError } from '../errors.js';
import { Eligibility } from '../maximize/eligibility.js';
import type { BonusBlock } from '../maximize/objective.js';
import { checkBudget, resolveBudget } from './budget.js';
import { type NamedTensors, type RowNorms, readTensors, rowCount } from './input-tensors.js';
import {
  checkConstraints,
  checkMaximizer,
  checkPrepareOptions,
  checkSelectOptions,
  type ImageSelectOptions,
  type PrepareOptions,
} from './options.js';
import { runDeviceGreedy } from './run-device-greedy.js';
import { runGreedy } from './run-greedy.js';
import { type Selection, type SelectionTrace, selectionOf } from './selection.js';
import { computeTermMatrix, releaseTermMatrix, type TermMatrix } from './term-matrix.js';

/** An image to ask questions of; what does not depend on the question is computed on first use and kept. */
export interface PreparedImage {
  /** Number of vision tokens. */
  readonly visionTokens: number;
  /**
   * Selects tokens for one question.
   * @throws InvalidBudgetError, InvalidTensorError, InvalidOptionsError, MatrixTooLargeError, DisposedError
   */
  select(options: ImageSelectOptions): Promise<Selection>;
  /** Lets go of what was kept. */
  dispose(): void;
}

const GIB = 2 ** 30;

/**
 * Takes an image's tensors, to ask any number of questions of it. What does not depend on the question (by default
 * the vision kernel, most of a selection's cost) is computed by the first selection and serves all later ones. The tensors
 * are not copied: leave their memory as it is until `dispose()`.
 *
 * @throws InvalidTensorError for tensors that are not matrices of finite numbers or do not fit together.
 * @throws InvalidOptionsError for options of the wrong form, or a term that reads a tensor nobody gave.
 */
export function prepareImage(options: PrepareOptions): PreparedImage {
  const { backend, coverage, maxMatrixBytes = GIB } = checkPrepareOptions(options);
  const terms = coverage ?? [textCoverage(), visionCoverage()];
  assertInputsRead(terms, Object.keys(options.inputs ?? {}));
  const tensors = readTensors({
    ...options.inputs,
    vision: options.vision,
    visionFeatures: options.visionFeatures,
  });
  const vision = tensors.get('vision');
  if (vision === undefined || rowCount(vision) === 0) {
    throw new InvalidTensorError('vision', 'expected at least one vision token, got none');
  }
  const candidates = rowCount(vision);
  const features = tensors.get('visionFeatures') ?? vision;
  if (rowCount(features) !== candidates) {
    throw new InvalidTensorError(
      'visionFeatures',
      `expected ${candidates} rows, one per vision token, got ${rowCount(features)}`,
    );
  }
  tensors.set('visionFeatures', features);
  assertInputsGiven(terms, tensors);
  const bonuses = terms.flatMap((term): BonusBlock[] =>
    term.kind === 'bonus'
      ? [
          {
            weight: term.weight,
            bonus: readBonus(term.input, tensors, candidates),
          },
        ]
      : [],
  );

  return new TensorImage({ backend, candidates, terms, bonuses, tensors, maxMatrixBytes });
}

/** What an image is made of, once read and checked. */
interface ImageParts {
  readonly backend: Backend;
  readonly candidates: number;
  readonly terms: readonly ObjectiveTerm[];
  readonly bonuses: readonly BonusBlock[];
  readonly tensors: NamedTensors;
  readonly maxMatrixBytes: number;
}

class TensorImage implements PreparedImage {
  private readonly parts: ImageParts;
  /** Matrices that do not depend on the question, computed or being computed. */
  private readonly kept = new Map<CoverageTerm, Promise<TermMatrix>>();
  /** What terms that do depend on it read of the image alone, and which is most of their work. */
  private readonly norms: RowNorms = new Map();
  /** Selections under way, which may be using the kept matrices. */
  private underWay = 0;
  private disposed = false;

  constructor(parts: ImageParts) {
    this.parts = parts;
  }

  get visionTokens(): number {
    return this.parts.candidates;
  }

  async select(request: ImageSelectOptions): Promise<Selection> {
    if (this.disposed) throw new DisposedError('A prepared image');
    const { candidates, terms, bonuses, tensors } = this.parts;
    const started = performance.now();
    checkSelectOptions(request);
    const budget = checkBudget(request.budget);
    const constraints = checkConstraints(request.constraints, candidates);
    const maximizer = checkMaximizer(request.maximizer);
    const { atMost, atLeast } = resolveBudget(budget, candidates);
    const eligibility = new Eligibility(candidates, constraints, Math.min(atMost, candidates));
    const nothingToDrop =
      eligibility.selectable === candidates && atMost >= candidates && !('coverage' in budget);
    if (nothingToDrop) return keepAll(candidates, terms, performance.now() - started);

    const read = readTensors({ [TEXT]: request.text }).get(TEXT);
    const text = read !== undefined && rowCount(read) > 0 ? read : undefined;
    const given = text === undefined ? tensors : new Map(tensors).set(TEXT, text);
    const coverage = terms.filter((term) => term.kind === 'coverage');
    const present = coverage.flatMap((term): CoverageTerm[] => {
      if (text !== undefined || !term.inputs.includes(TEXT)) return [term];
      return term.withoutText === undefined ? [] : [term.withoutText];
    });
    if (present.length + bonuses.length === 0) {
      throw new InvalidTensorError(
        TEXT,
        'no text tokens were given, and every term of the objective reads them',
      );
    }
    const notes = coverage
      .filter((term) => !present.includes(term))
      .map(({ name, withoutText }) => {
        const consequence = withoutText === undefined ? 'was left out' : 'went without them';
        return `no text tokens were given, so the coverage term '${name}' ${consequence}`;
      });
    const limits = { budget, atMost, atLeast, eligibility };

    let ready = performance.now();
    let trace: SelectionTrace;
    if (maximizer === 'device') {
      trace = await runDeviceGreedy({
        ...this.parts,
        ...limits,
        terms: present,
        tensors: given,
        constraints,
      });
    } else {
      trace = await this.withMatrices(present, given, (matrices) => {
        ready = performance.now();
        return runGreedy({ candidates, matrices, bonuses, ...limits, maximizer });
      });
    }
    const ended = performance.now();
    const timings = { similarityMs: ready - started, maximizeMs: ended - ready, totalMs: ended - started };
    return selectionOf({ trace, visionTokens: candidates, notes, timings });
  }

  dispose(): void {
    this.disposed = true;
    this.releaseIfUnused();
  }

  /** Calls `use` with the terms' matrices, which stay valid until it returns. */
  private async withMatrices<R>(
    terms: readonly CoverageTerm[],
    tensors: NamedTensors,
    use: (matrices: readonly TermMatrix[]) => R,
  ): Promise<R> {
    this.underWay++;
    const passing: TermMatrix[] = [];
    try {
      const matrices: TermMatrix[] = [];
      for (const term of terms) {
        const dependsOnText = term.inputs.includes(TEXT);
        const matrix = await (dependsOnText ? this.compute(term, tensors) : this.computeOnce(term));
        if (dependsOnText) passing.push(matrix);
        matrices.push(matrix);
      }
      return use(matrices);
    } finally {
      for (const matrix of passing) releaseTermMatrix(matrix);
      this.underWay--;
      this.releaseIfUnused();
    }
  }

  private compute(term: CoverageTerm, tensors: NamedTensors): Promise<TermMatrix> {
    return computeTermMatrix(term, tensors, { ...this.parts, norms: this.norms });
  }

  private computeOnce(term: CoverageTerm): Promise<TermMatrix> {
    const known = this.kept.get(term);
    if (known !== undefined) return known;
    const pending = this.compute(term, this.parts.tensors);
    this.kept.set(term, pending);
    pending.catch(() => this.kept.delete(term));
    return pending;
  }

  private releaseIfUnused(): void {
    if (!this.disposed || this.underWay > 0) return;
    for (const pending of this.kept.values()) {
      // Whoever asked for the matrix got the error.
      pending.then(releaseTermMatrix, () => {});
    }
    this.kept.clear();
    this.norms.clear();
  }
}

/** Fails if a term reads a tensor that was not given; `text` may come later, with the question. */
function assertInputsGiven(terms: readonly ObjectiveTerm[], tensors: NamedTensors): void {
  for (const term of terms) {
    const needed = term.kind === 'bonus' ? [term.input] : term.inputs;
    const missing = needed.filter((name) => name !== TEXT && !tensors.has(name));
    if (missing.length === 0) continue;
    throw new InvalidOptionsError('inputs', [
      `term '${term.name}' reads ${missing.map((name) => `'${name}'`).join(', ')}, but the tensors given are ` +
        `${[...tensors.keys()].map((name) => `'${name}'`).join(', ')}; hand it over as inputs: { ${missing[0]}: … }`,
    ]);
  }
}

/** Options of their own, not further inputs. */
const OPTIONS = ['vision', 'visionFeatures', TEXT];

/** Fails if a further input was given that no term reads: a misspelt name would otherwise be ignored in silence. */
function assertInputsRead(terms: readonly ObjectiveTerm[], given: readonly string[]): void {
  const misplaced = given.filter((name) => OPTIONS.includes(name));
  if (misplaced.length > 0) {
    throw new InvalidOptionsError('inputs', [
      `${misplaced.map((name) => `'${name}'`).join(', ')} ${misplaced.length > 1 ? 'are options' : 'is an option'} beside ` +
        'inputs, not one of them',
    ]);
  }
  const read = new Set(terms.flatMap((term) => (term.kind === 'bonus' ? [term.input] : term.inputs)));
  const unread = given.filter((name) => !read.has(name));
  if (unread.length === 0) return;
  throw new InvalidOptionsError('inputs', [
    `no term of the objective reads ${unread.map((name) => `'${name}'`).join(', ')} (terms: ` +
      `${terms.map((term) => term.name).join(', ')}); add the term to coverage or leave the tensor out`,
  ]);
}

function readBonus(name: string, tensors: NamedTensors, candidates: number): Float32Array {
  const { data, dims, type } = widen(tensors.get(name) as HostTensor);
  const isVector = dims.every((length) => length === 1 || length === candidates);
  if (type !== 'float32' || data.length !== candidates || !isVector) {
    throw new InvalidTensorError(
      name,
      `expected ${candidates} float32 numbers, one per vision token, got ${type} of shape [${dims.join(', ')}]`,
    );
  }
  const wrong = data.findIndex((bonus) => !(bonus >= 0 && bonus < Number.POSITIVE_INFINITY));
  // A copy, as the caller may do with his memory what he likes once it has been checked.
  if (wrong < 0) return data.slice();
  throw new InvalidTensorError(
    name,
    `candidate ${wrong} has the bonus ${data[wrong]}; it must be finite and not negative`,
  );
}

/** The result where there is nothing to drop. */
function keepAll(candidates: number, terms: readonly ObjectiveTerm[], totalMs: number): Selection {
  const all = Array.from({ length: candidates }, (_, j) => j);
  const notes = [
    `the image has ${candidates} vision tokens, no more than the budget, so all are kept in their order`,
  ];
  const names = terms.flatMap((term) => (term.kind === 'coverage' ? [term.name] : []));
  const trace: SelectionTrace = {
    order: all,
    gains: [],
    terms: names.map((name) => ({ name, full: 0, added: [] })),
    coverageError: {},
    leftGains: [],
    included: 0,
    steepest: false,
    reason: 'belowBudget',
  };
  const timings = { similarityMs: 0, maximizeMs: 0, totalMs };
  return selectionOf({ trace, visionTokens: candidates, notes, timings });
}
