// The main entry points: vision tokens in, the tokens to keep out. An image can be prepared for several selections, so that whatever
// does not depend on the question is computed once.

import type { Backend } from '../backend/backend.js';
import { type HostTensor, type MatrixTensor, widen } from '../backend/tensor.js';
import { type CoverageTerm, inputsOf, type ObjectiveTerm, TEXT } from '../coverage/coverage-term.js';
import { textCoverage, visionCoverage } from '../coverage/terms.js';
import { DisposedError, InvalidOptionsError, InvalidTensorError } from '../errors.js';
import { Eligibility } from '../search/eligibility.js';
import { type BonusBlock, MatrixMemory } from '../search/objective.js';
import { searchOnDevice } from './device-search.js';
import { equalRowsOf } from './equal-rows.js';
import { searchOnHost } from './host-search.js';
import {
  checkBudget,
  type ImageSelectOptions,
  maximizerOf,
  type PrepareOptions,
  parseConstraints,
  parseImageSelectOptions,
  parsePrepareOptions,
  parseSelectOptions,
  resolveBudget,
  type SelectOptions,
} from './options.js';
import { type Selection, type SelectionTrace, selectionOf } from './selection.js';
import { type NamedTensors, readTensors, rowCount } from './tensors.js';
import { computeTermMatrix, releaseTermMatrix, type TermContext, type TermMatrix } from './term-matrix.js';

/** A prepared image. What does not depend on the question is computed on first use and kept. */
export interface PreparedImage {
  /** Number of vision tokens. */
  readonly visionTokens: number;
  /**
   * Selects tokens for one question.
   * @throws InvalidBudgetError for budgets and constraints that nothing can satisfy.
   * @throws InvalidTensorError for tensors that are not matrices of finite numbers or do not fit together.
   * @throws InvalidOptionsError for options of the wrong form.
   * @throws InvalidSelectionError if a maximizer picks anything but distinct, eligible candidates.
   * @throws MatrixTooLargeError for more vision tokens than the exact path can hold.
   * @throws BackendRunError for errors reported by the engine.
   * @throws DisposedError after `dispose()`.
   */
  select(options: ImageSelectOptions): Promise<Selection>;
  /** Releases what was kept. */
  dispose(): void;
}

/**
 * Prepares an image's tensors for any number of questions. What does not depend on the question (by default the vision kernel, most
 * of a selection's cost) is computed by the first selection and reused. The tensors are not copied: do not change their memory
 * until `dispose()`.
 *
 * @throws InvalidTensorError for tensors that are not matrices of finite numbers or do not fit together.
 * @throws InvalidOptionsError for invalid options, or a term that reads a missing tensor.
 *
 * @example
 * const image = prepareImage({ backend, vision, visionFeatures });
 * const first = await image.select({ text: oneQuestion, budget: { tokens: 64 } });
 * const second = await image.select({ text: anotherQuestion, budget: { tokens: 64 } });
 * image.dispose();
 */
export function prepareImage(options: PrepareOptions): PreparedImage {
  return new PreparedTensors(parsePrepareOptions(options));
}

const GIB = 2 ** 30;

let defaults: readonly ObjectiveTerm[] | undefined;

/** The paper's objective. Made once: checking the terms' options takes longer than any other check of a selection. */
function defaultTerms(): readonly ObjectiveTerm[] {
  defaults ??= [textCoverage(), visionCoverage()];
  return defaults;
}

/** Memory for matrices by backend. Freed with the backend. */
const memories = new WeakMap<Backend, MatrixMemory>();

function memoryOf(backend: Backend): MatrixMemory {
  const known = memories.get(backend) ?? new MatrixMemory();
  memories.set(backend, known);
  return known;
}

/** {@link PreparedImage} over tensors on the host. */
class PreparedTensors implements PreparedImage {
  readonly visionTokens: number;
  private readonly terms: readonly ObjectiveTerm[];
  private readonly bonuses: readonly BonusBlock[];
  private readonly tensors: NamedTensors;
  private readonly context: TermContext;
  /** Matrices that do not depend on the question, computed or being computed. */
  private readonly kept = new Map<CoverageTerm, Promise<TermMatrix>>();
  /** Number of running selections, which may be using the kept matrices. */
  private running = 0;
  private disposed = false;

  /** @param options checked, except for the contents of tensors. */
  constructor(options: PrepareOptions) {
    const { backend, coverage, inputs = {}, vision, visionFeatures, maxMatrixBytes = GIB } = options;
    this.terms = coverage ?? defaultTerms();
    assertInputsRead(this.terms, Object.keys(inputs));
    this.tensors = readImage({ ...inputs, vision, visionFeatures });
    this.visionTokens = rowCount(this.tensors.get('vision') as MatrixTensor);
    assertInputsGiven(this.terms, this.tensors);
    this.bonuses = this.terms.flatMap((term) =>
      term.kind === 'bonus' ? [readBonus(term, this.tensors, this.visionTokens)] : [],
    );
    this.context = {
      backend,
      candidates: this.visionTokens,
      maxMatrixBytes,
      memory: memoryOf(backend),
      norms: new Map(),
      equal: new Map(),
    };
  }

  async select(options: ImageSelectOptions): Promise<Selection> {
    if (this.disposed) throw new DisposedError('A prepared image');
    return this.selectChecked(parseImageSelectOptions(options));
  }

  /** Selects tokens for options that are checked, except for the budget, the constraints, and the contents of tensors. */
  async selectChecked(request: ImageSelectOptions): Promise<Selection> {
    const started = performance.now();
    const { visionTokens, bonuses, context } = this;
    const budget = resolveBudget(checkBudget(request.budget), visionTokens);
    const constraints = parseConstraints(request.constraints, visionTokens);
    const maximizer = maximizerOf(request.maximizer);
    const eligibility = new Eligibility(visionTokens, constraints, Math.min(budget.max, visionTokens));
    const isNothingToDrop =
      eligibility.selectable === visionTokens && budget.max >= visionTokens && budget.target === undefined;
    if (isNothingToDrop) return keepAll(visionTokens, this.terms, performance.now() - started);

    const read = readTensors({ [TEXT]: request.text }).get(TEXT);
    const text = read !== undefined && rowCount(read) > 0 ? read : undefined;
    const tensors = text === undefined ? this.tensors : new Map(this.tensors).set(TEXT, text);
    const { terms, notes } = this.applicableTerms(text !== undefined);
    const search = { candidates: visionTokens, bonuses, budget, eligibility };

    let ready = performance.now();
    let trace: SelectionTrace;
    if (maximizer === 'device') {
      trace = await searchOnDevice({ ...search, ...context, terms, tensors, constraints });
    } else {
      trace = await this.withMatrices(terms, tensors, (matrices) => {
        ready = performance.now();
        return searchOnHost({ ...search, matrices, maximizer });
      });
    }
    notes.push(...this.uniformNotes(terms), ...sampleNotes(trace));
    if (eligibility.selectable === 0) {
      notes.push('nothing is kept: every vision token is excluded, or in a group that keeps none');
    }
    const ended = performance.now();
    const timings = { similarityMs: ready - started, maximizeMs: ended - ready, totalMs: ended - started };
    return selectionOf({ trace, visionTokens, notes, timings });
  }

  dispose(): void {
    this.disposed = true;
    this.releaseIfUnused();
  }

  /** The coverage terms to compute, given whether there is text, and a note for each that cannot run as defined. */
  private applicableTerms(hasText: boolean): { terms: CoverageTerm[]; notes: string[] } {
    const terms: CoverageTerm[] = [];
    const notes: string[] = [];
    for (const term of this.terms) {
      if (term.kind === 'bonus') continue;
      if (hasText || !inputsOf(term).includes(TEXT)) {
        terms.push(term);
        continue;
      }
      const { name, withoutText } = term;
      if (withoutText !== undefined) terms.push(withoutText);
      const consequence = withoutText === undefined ? 'was skipped' : 'ran without them';
      notes.push(`no text tokens were given, so the coverage term '${name}' ${consequence}`);
    }
    if (terms.length + this.bonuses.length > 0) return { terms, notes };
    throw new InvalidTensorError(
      TEXT,
      'no text tokens were given, and every term of the objective reads them',
    );
  }

  /** A note for each tensor whose rows are all equal, from which tokens can only be chosen by position. */
  private uniformNotes(terms: readonly CoverageTerm[]): string[] {
    const { visionTokens, context, tensors } = this;
    if (visionTokens === 1) return [];
    const isShared = tensors.get('visionFeatures') === tensors.get('vision');
    const read = terms.flatMap(inputsOf);
    const names = new Set(read.map((name) => (isShared && name === 'visionFeatures' ? 'vision' : name)));
    return ['vision', 'visionFeatures'].flatMap((name) => {
      const tensor = tensors.get(name) as MatrixTensor;
      if (!names.has(name)) return [];
      if (equalRowsOf(tensor, context.equal)?.every((first) => first === 0) !== true) return [];
      const isZero = tensor.data.every((value: number) => value === 0);
      return [
        `all ${visionTokens} rows of '${name}' are ${isZero ? 'zero' : 'equal'}, so they do not tell which tokens to keep; ` +
          'check the vision encoder',
      ];
    });
  }

  /** Calls `use` with the terms' matrices, which stay valid until it returns. */
  private async withMatrices<R>(
    terms: readonly CoverageTerm[],
    tensors: NamedTensors,
    use: (matrices: readonly TermMatrix[]) => R,
  ): Promise<R> {
    this.running++;
    /** Matrices that depend on the question. */
    const temporary: TermMatrix[] = [];
    try {
      const matrices: TermMatrix[] = [];
      for (const term of terms) {
        const isTemporary = inputsOf(term).includes(TEXT);
        const matrix = await (isTemporary
          ? computeTermMatrix(term, tensors, this.context)
          : this.computeOnce(term));
        if (isTemporary) temporary.push(matrix);
        matrices.push(matrix);
      }
      return use(matrices);
    } finally {
      for (const matrix of temporary) releaseTermMatrix(matrix);
      this.running--;
      this.releaseIfUnused();
    }
  }

  private computeOnce(term: CoverageTerm): Promise<TermMatrix> {
    const known = this.kept.get(term);
    if (known !== undefined) return known;
    const pending = computeTermMatrix(term, this.tensors, this.context);
    this.kept.set(term, pending);
    pending.catch(() => this.kept.delete(term));
    return pending;
  }

  private releaseIfUnused(): void {
    if (!this.disposed || this.running > 0) return;
    for (const pending of this.kept.values()) {
      // The caller that requested the matrix got the error.
      pending.then(releaseTermMatrix, () => {});
    }
    this.kept.clear();
    this.context.norms.clear();
    this.context.equal.clear();
  }
}

/** Reads an image's tensors. The projected tokens replace missing features. */
function readImage(inputs: Parameters<typeof readTensors>[0]): Map<string, MatrixTensor> {
  const tensors = readTensors(inputs);
  const vision = tensors.get('vision');
  if (vision === undefined || rowCount(vision) === 0) {
    throw new InvalidTensorError('vision', 'expected at least one vision token, got none');
  }
  const features = tensors.get('visionFeatures') ?? vision;
  if (rowCount(features) !== rowCount(vision)) {
    throw new InvalidTensorError(
      'visionFeatures',
      `expected ${rowCount(vision)} rows, one per vision token, got ${rowCount(features)}`,
    );
  }
  return tensors.set('visionFeatures', features);
}

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** Fails if a term reads a missing tensor; `text` may come later, with the question. */
function assertInputsGiven(terms: readonly ObjectiveTerm[], tensors: NamedTensors): void {
  for (const term of terms) {
    const missing = inputsOf(term).filter((name) => name !== TEXT && !tensors.has(name));
    if (missing.length === 0) continue;
    throw new InvalidOptionsError('inputs', [
      `term '${term.name}' reads ${quoted(missing)}, but the tensors given are ${quoted([...tensors.keys()])}; ` +
        `pass it as inputs: { ${missing[0]}: … }`,
    ]);
  }
}

/** Tensors that have their own options and are not additional inputs. */
const OPTIONS = ['vision', 'visionFeatures', TEXT];

/** Fails if an additional input is read by no term: a typo would otherwise be ignored silently. */
function assertInputsRead(terms: readonly ObjectiveTerm[], given: readonly string[]): void {
  const misplaced = given.filter((name) => OPTIONS.includes(name));
  if (misplaced.length > 0) {
    throw new InvalidOptionsError('inputs', [
      `${quoted(misplaced)} ${misplaced.length > 1 ? 'are options' : 'is an option'} next to inputs, not inside it`,
    ]);
  }
  const read = new Set(terms.flatMap(inputsOf));
  const unread = given.filter((name) => !read.has(name));
  if (unread.length === 0) return;
  throw new InvalidOptionsError('inputs', [
    `no term of the objective reads ${quoted(unread)} (terms: ${terms.map((term) => term.name).join(', ')}); ` +
      'add the term to coverage or remove the tensor',
  ]);
}

function readBonus(
  { name, input, weight }: Extract<ObjectiveTerm, { kind: 'bonus' }>,
  tensors: NamedTensors,
  candidates: number,
): BonusBlock {
  const { data, dims, type }: HostTensor = widen(tensors.get(input) as MatrixTensor);
  const isVector = dims.every((length) => length === 1 || length === candidates);
  if (type !== 'float32' || data.length !== candidates || !isVector) {
    throw new InvalidTensorError(
      input,
      `expected ${candidates} float32 numbers, one per vision token, got ${type} of shape [${dims.join(', ')}]`,
    );
  }
  const wrong = data.findIndex((bonus) => !(bonus >= 0 && bonus < Number.POSITIVE_INFINITY));
  // Copied: the caller may change its memory after validation.
  if (wrong < 0) return { name, weight, bonus: data.slice() };
  throw new InvalidTensorError(
    input,
    `expected finite numbers ≥ 0, got ${data[wrong]} for candidate ${wrong}`,
  );
}

/** Standard errors above this are worth a note. */
const LARGE_ERROR = 0.05;

function sampleNotes({ coverageError }: SelectionTrace): string[] {
  return Object.entries(coverageError)
    .filter(([, error]) => error > LARGE_ERROR)
    .map(
      ([name, error]) =>
        `the coverage of '${name}' is an estimate with a standard error of ${error.toFixed(2)}; more sampled targets ` +
        'reduce it',
    );
}

/** The result if there is nothing to drop. */
function keepAll(visionTokens: number, terms: readonly ObjectiveTerm[], totalMs: number): Selection {
  const names = terms.flatMap((term) => (term.kind === 'coverage' ? [term.name] : []));
  const trace: SelectionTrace = {
    order: Array.from({ length: visionTokens }, (_, j) => j),
    gains: [],
    terms: names.map((name) => ({ name, full: 0, added: [] })),
    coverageError: {},
    leftGains: [],
    included: 0,
    steepest: false,
    reason: 'belowBudget',
  };
  const notes = [
    `the image has ${visionTokens} vision tokens, no more than the budget, so all are kept in their order`,
  ];
  const timings = { similarityMs: 0, maximizeMs: 0, totalMs };
  return selectionOf({ trace, visionTokens, notes, timings });
}

/**
 * Keeps the vision tokens that together best cover the question's text tokens and the image itself
 * (MMTok, https://arxiv.org/abs/2508.18264): similarity, calibrated coverage, greedy maximization.
 *
 * To ask several questions about one image, use `prepareImage`, which computes the image's part once.
 *
 * @throws InvalidTensorError for tensors that are not matrices of finite numbers or do not fit together.
 * @throws InvalidBudgetError for budgets and constraints that nothing can satisfy.
 * @throws InvalidOptionsError for options of the wrong form.
 * @throws MatrixTooLargeError for more vision tokens than the exact path can hold.
 *
 * @example
 * const { indices, coverage } = await selectTokens({
 *   backend: createReferenceBackend(),
 *   vision, // [576, 4096] projected vision tokens
 *   visionFeatures, // [576, 1024] before the projector
 *   text, // [12, 4096] input embeddings of the question
 *   budget: { tokens: 64 },
 * });
 */
export async function selectTokens(options: SelectOptions): Promise<Selection> {
  const { text, budget, constraints, maximizer, ...image } = parseSelectOptions(options);
  const prepared = new PreparedTensors(image);
  try {
    return await prepared.selectChecked({ text, budget, constraints, maximizer });
  } finally {
    prepared.dispose();
  }
}
