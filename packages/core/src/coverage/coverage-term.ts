// What a coverage term is: an affinity of candidates and targets, as a program, with a weight. No arithmetic here.

import * as z from 'zod';
import type { TensorOps } from '../backend/ops.js';
import { defineProgram, type Program, type TensorSpec, type TensorSpecs } from '../backend/program.js';
import { InvalidOptionsError } from '../errors.js';
import { parseOptions } from '../internal/parse-options.js';

/** What a term's `build` returns. */
export interface CoverageOutputs<T> {
  /** `[n, targets]`, non-negative: row *j* says how well candidate *j* covers each target. */
  readonly affinity: T;
  /** `[1, targets]`: how much each target counts. @default 1 / targets, so that full coverage is worth the term's weight. */
  readonly targetWeights?: T;
  /** `[1, targets]`: the highest affinity each target can reach, if cheaper than the maximum over candidates. */
  readonly peak?: T;
}

/** The definition that {@link defineCoverage} turns into a term factory. */
export interface CoverageDefinition<I extends TensorSpecs, P extends Readonly<Record<string, number>>> {
  /** Names the term in results and errors. */
  readonly name: string;
  /**
   * The tensors the term reads, by name: `vision` `[n, D]` (what the language model receives), `visionFeatures`
   * `[n, d]` (before the projector; falls back to `vision`), `text` `[m, D]`, or names of your own, handed to
   * `selectTokens` under `inputs`. All are matrices of floats, and a name has no colon in it. The number of candidates must
   * be the dimension called `'n'`.
   */
  readonly inputs: I;
  /**
   * The name of the dimension that counts the targets: `'n'` for vision tokens, `'m'` for text tokens, or your own. It
   * must be a dimension of one of the inputs.
   */
  readonly targets: string;
  /** Numbers that `build` receives as tensors of shape `[]`, with their defaults: changing one compiles nothing anew. */
  readonly parameters?: P;
  /** State `true` where the affinity cannot be negative by construction (softmax, exp); the check is then skipped. */
  readonly nonNegative?: boolean;
  /**
   * Computes the affinity. Uses nothing but `ops`, so that the term runs, compiled, on every backend.
   * @param norms the Euclidean lengths of each input's rows, `[rows, 1]`. Those of an image's tensors are computed once
   * for all questions, so prefer them to `ops.rowNorms`.
   */
  build<T>(
    ops: TensorOps<T>,
    inputs: Readonly<Record<keyof I, T>>,
    parameters: Readonly<Record<keyof P, T>>,
    norms: Readonly<Record<keyof I, T>>,
  ): CoverageOutputs<T>;
}

/** Options of every term: its weight, its targets' weights and its own parameters. */
export interface TermOptions<P extends Readonly<Record<string, number>> = Readonly<Record<string, never>>> {
  /** How much the term counts beside the others. */
  readonly weight?: number;
  /**
   * How much each target counts within the term, one number ≥ 0 per target. They are scaled to a mean of 1, so a term whose
   * targets count alike keeps its weight; what a term weighs its targets by itself is multiplied in.
   */
  readonly targetWeights?: readonly number[];
  /** Values for the term's parameters, e.g. `{ temperature: 0.05 }`. */
  readonly parameters?: { readonly [K in keyof P]?: number };
}

/**
 * A term as a program. Its outputs: `weights` `[1, targets]`; with these multiplied in, `affinity` `[n, targets]`, its
 * row sums `firstGains` `[n, 1]` and `peak` `[1, targets]`; and for every matrix it reads, unless they are given, the
 * norms of its rows (see {@link normsName}).
 */
export type TermProgram = Program;

/** A random choice of targets. */
export interface TargetSample {
  /** How many targets to draw. All of them if there are no more. */
  readonly targets: number;
  /** @default 0 */
  readonly seed?: number;
}

/** The input that comes with the question; all others belong to the image. */
export const TEXT = 'text';

/** The program input, *index* `[r]`, that carries the drawn targets of a term with {@link TargetSample}. */
export const SAMPLE = 'targets:sample';

/** One weighted term of the objective, made by `textCoverage()`, `visionCoverage()` or your own {@link defineCoverage}. */
export interface CoverageTerm {
  readonly kind: 'coverage';
  readonly name: string;
  readonly weight: number;
  readonly targetWeights?: readonly number[];
  readonly parameters: Readonly<Record<string, number>>;
  readonly nonNegative: boolean;
  /** Names of the tensors the term reads. */
  readonly inputs: readonly string[];
  /** Draw this many targets instead of taking all; the program reads their indices as `SAMPLE`. */
  readonly sample?: TargetSample;
  /** Name of the dimension that counts the targets. */
  readonly targets: string;
  /** The term as a program over its inputs, its parameters and its targets' weights; its own weight is applied outside. */
  readonly program: TermProgram;
  /** The same, to be given the row norms of the image's tensors instead of computing them. */
  readonly programGivenNorms: TermProgram;
  /** What stands in for a term that reads `TEXT` where none is given. Absent: the term is left out. */
  readonly withoutText?: CoverageTerm;
}

/** A bonus per candidate, added to its gain whatever else is kept; made by `saliency()`. */
export interface BonusTerm {
  readonly kind: 'bonus';
  readonly name: string;
  readonly weight: number;
  /** Name of the input `[n, 1]` or `[1, n]` that holds the bonus of each candidate, ≥ 0. */
  readonly input: string;
}

/** A term of the objective. */
export type ObjectiveTerm = CoverageTerm | BonusTerm;

const termOptions = z.strictObject({
  weight: z.number().nonnegative().finite().optional(),
  targetWeights: z.array(z.number().nonnegative().finite()).optional(),
  parameters: z.record(z.string(), z.number().finite()).optional(),
});

/** The program input `[1, targets]` that carries the caller's weight of each target. */
export const TARGET_WEIGHTS = 'targetWeights';

/**
 * What a term's program calls the row norms `[rows, 1]` of an input matrix: an output where it computes them, an input
 * where they are given. They tell whether the matrix is finite, and as most terms need them anyway, checking millions of
 * numbers costs nothing.
 */
export const normsName = (input: string): string => `norms:${input}`;

/** The program input that carries one of a term's parameters. */
export const parameterInput = (name: string): string => `parameter:${name}`;

/**
 * Defines a coverage term of your own: which targets there are and how well each candidate covers them. Returns a
 * factory, to be called with weights and parameters for each use.
 *
 * @example
 * const centre = defineCoverage({
 *   name: 'centre',
 *   inputs: { vision: { dims: ['n', 'D'] }, prior: { dims: ['n', 'r'] } },
 *   targets: 'r',
 *   build: (_ops, { prior }) => ({ affinity: prior }),
 * });
 * await selectTokens({ backend, vision, coverage: [visionCoverage(), centre({ weight: 0.2 })], inputs: { prior }, budget });
 */
export function defineCoverage<
  const I extends TensorSpecs,
  const P extends Readonly<Record<string, number>> = Readonly<Record<never, number>>,
>(definition: CoverageDefinition<I, P>): (options?: TermOptions<P>) => CoverageTerm {
  const defaults: Readonly<Record<string, number>> = definition.parameters ?? {};
  checkDefinition(definition);
  const program = termProgram(definition, 'computed');
  const programGivenNorms = termProgram(definition, 'given');
  return (options) => {
    const what = `options of coverage term '${definition.name}'`;
    const parsed = parseOptions(what, termOptions, options ?? {});
    const unknown = Object.keys(parsed.parameters ?? {}).filter((name) => !(name in defaults));
    if (unknown.length > 0) {
      const known = Object.keys(defaults).join(', ') || 'none';
      throw new InvalidOptionsError(what, [`unknown parameter ${unknown.join(', ')} (known: ${known})`]);
    }
    return {
      kind: 'coverage',
      name: definition.name,
      weight: parsed.weight ?? 1,
      ...(parsed.targetWeights && { targetWeights: parsed.targetWeights }),
      parameters: { ...defaults, ...parsed.parameters },
      nonNegative: definition.nonNegative ?? false,
      inputs: Object.keys(definition.inputs).filter((name) => name !== SAMPLE),
      targets: definition.targets,
      program,
      programGivenNorms,
    };
  };
}

/** @throws InvalidOptionsError for inputs that nobody could hand over, and for dimensions that no input has. */
function checkDefinition({
  name,
  targets,
  inputs,
}: {
  readonly name: string;
  readonly targets: string;
  readonly inputs: TensorSpecs;
}): void {
  for (const [input, { dims: axes, dtype }] of Object.entries(inputs)) {
    if (input === SAMPLE) continue;
    const problems = [
      ...(input.includes(':') ? ["its name has a colon, which marks the library's own"] : []),
      ...(axes.length !== 2
        ? [`it has ${axes.length} dimensions, but inputs are matrices (a vector is [n, 1])`]
        : []),
      ...(dtype === 'int32' ? ["its dtype is 'int32', but inputs are matrices of floats"] : []),
    ];
    if (problems.length === 0) continue;
    throw new InvalidOptionsError(`coverage term '${name}'`, [
      `the input '${input}': ${problems.join('; ')}`,
    ]);
  }
  const dims = new Set(Object.values(inputs).flatMap((input) => input.dims));
  for (const dim of ['n', targets]) {
    if (dims.has(dim)) continue;
    const known = [...dims].join(', ') || 'none';
    throw new InvalidOptionsError(`coverage term '${name}'`, [
      `no input has the dimension '${dim}' (dimensions: ${known}); 'n' counts the candidates, targets: '${targets}' the targets`,
    ]);
  }
  if (TARGET_WEIGHTS in inputs) {
    throw new InvalidOptionsError(`coverage term '${name}'`, [
      `the input name '${TARGET_WEIGHTS}' is taken by the weights of the term's options; choose another`,
    ]);
  }
}

/** Wraps a definition's `build` so that the engine also weighs the targets and sums up every candidate's first gain. */
function termProgram<I extends TensorSpecs, P extends Readonly<Record<string, number>>>(
  definition: CoverageDefinition<I, P>,
  imageNorms: 'computed' | 'given',
): TermProgram {
  const { name, targets } = definition;
  const parameters = Object.keys(definition.parameters ?? {});
  const matrices = Object.entries<TensorSpec>(definition.inputs).filter(([input]) => input !== SAMPLE);
  const given = matrices.filter(([input]) => imageNorms === 'given' && input !== TEXT);
  const computed = matrices.filter((matrix) => !given.includes(matrix));
  const normSpecs = (of: typeof matrices): TensorSpecs =>
    Object.fromEntries(
      of.map(([input, spec]) => [normsName(input), { dims: [spec.dims[0] as string, 'one'] }]),
    );
  return defineProgram({
    name: `coverage(${name})`,
    inputs: {
      ...definition.inputs,
      ...Object.fromEntries(parameters.map((parameter) => [parameterInput(parameter), { dims: [] }])),
      [TARGET_WEIGHTS]: { dims: ['one', targets] },
      ...normSpecs(given),
    },
    outputs: {
      weights: { dims: ['one', targets] },
      affinity: { dims: ['n', targets] },
      firstGains: { dims: ['n', 'one'] },
      peak: { dims: ['one', targets] },
      ...normSpecs(computed),
    } as TensorSpecs,
    build: <T>(ops: TensorOps<T>, inputs: Readonly<Record<string, T>>) => {
      const own = Object.fromEntries(
        parameters.map((parameter) => [parameter, inputs[parameterInput(parameter)] as T]),
      );
      const norms = Object.fromEntries([
        ...given.map(([input]) => [input, inputs[normsName(input)] as T] as const),
        ...computed.map(([input]) => [input, ops.rowNorms(inputs[input] as T)] as const),
      ]);
      const { affinity, targetWeights, peak } = definition.build(
        ops,
        inputs as Readonly<Record<keyof I, T>>,
        own as Readonly<Record<keyof P, T>>,
        norms as Readonly<Record<keyof I, T>>,
      );
      const perTarget = targetWeights ?? ops.divide(ops.scalar(1), ops.size(affinity, 1));
      const weights = ops.multiply(inputs[TARGET_WEIGHTS] as T, perTarget);
      const weighted = ops.multiply(affinity, weights);
      return {
        weights,
        affinity: weighted,
        firstGains: ops.sum(weighted, 1, { keepDims: true }),
        peak: ops.multiply(peak ?? ops.max(affinity, 0, { keepDims: true }), weights),
        ...Object.fromEntries(computed.map(([input]) => [normsName(input), norms[input] as T])),
      };
    },
  });
}
