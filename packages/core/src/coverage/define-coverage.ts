// Turns a definition, written once over abstract ops, into a factory of coverage terms.

import * as z from 'zod';
import type { TensorOps, TensorSpec, TensorSpecs } from '../backend/backend.js';
import { defineNestedProgram, type NestedProgram, type Tree } from '../backend/nested-program.js';
import { type Shape, shapeOps } from '../backend/shapes.js';
import { InvalidOptionsError, InvalidTensorError, parseOptions } from '../errors.js';
import {
  type BlockOutputs,
  type CoverageTerm,
  type ProgramPair,
  sampleSchema,
  type TargetSample,
  TEXT,
  type TermInputs,
  type TermOutputs,
  type TermPrograms,
  targetWeightsSchema,
  weightSchema,
} from './coverage-term.js';

/** Numbers that a term's `build` receives as tensors, with their defaults. */
export type TermParameters = Readonly<Record<string, number>>;

/** What a term's `build` returns. */
export interface CoverageOutputs<T> {
  /** `[n, targets]`, non-negative: row *j* holds how well candidate *j* covers each target. */
  readonly affinity: T;
  /**
   * `[1, targets]`: the weight of each target. For drawn targets: the weight they would have among all targets.
   * @default 1 / targets, so that full coverage is worth the term's weight
   */
  readonly targetWeights?: T | undefined;
  /** `[1, targets]`: the highest affinity each target can reach, if cheaper than the maximum over candidates. */
  readonly peak?: T | undefined;
}

/** What `build` receives besides tensors and parameters. */
export interface CoverageContext<T, I extends TensorSpecs = TensorSpecs> {
  /**
   * The row norms of each input, `[rows, 1]`. Those of an image's tensors are computed once for all questions, so prefer them to
   * `ops.rowNorms`.
   */
  readonly norms: Readonly<Record<keyof I, T>>;
  /** The rows of `x` `[n, …]` of the drawn targets, `[targets, …]`; `x` itself if all targets are used. */
  draw(x: T): T;
  /** Whether targets are sampled. */
  readonly isDrawn: boolean;
}

/** The definition that {@link defineCoverage} turns into a term factory. */
export interface CoverageDefinition<I extends TensorSpecs, P extends TermParameters> {
  /** Names the term in results and errors. */
  readonly name: string;
  /**
   * The tensors the term reads, by name: `vision` `[n, D]` (what the language model receives), `visionFeatures` `[n, d]` (before
   * the projector; defaults to `vision`), `text` `[m, D]`, or your own names, passed to `selectTokens` under `inputs`. All are
   * matrices of floats. The number of candidates must be the dimension `'n'`.
   */
  readonly inputs: I;
  /**
   * The name of the dimension that counts the targets: `'n'` for vision tokens, `'m'` for text tokens, or your own. It must be a
   * dimension of one of the inputs.
   */
  readonly targets: string;
  /** Numbers that `build` receives as tensors of shape `[]`, with their defaults. Changing one does not recompile. */
  readonly parameters?: P | undefined;
  /** Set to `true` if the affinity cannot be negative by construction (softmax, exp); skips the check. */
  readonly nonNegative?: boolean | undefined;
  /**
   * Set to `true` if the targets are the candidates (`targets: 'n'`) and `build` passes every tensor of targets through
   * `context.draw`. The term can then be sampled, and large matrices are computed in blocks.
   */
  readonly drawsTargets?: boolean | undefined;
  /**
   * Set to `true` for a term that draws its targets and whose affinity is symmetric: *i* covers *j* as well as *j* covers *i*. The
   * affinities of each target are then divided by their sum over all candidates, and all targets count equally, so `build` must
   * not divide and returns no `targetWeights`. Only half of a large matrix is computed; the rest is copied.
   */
  readonly calibrated?: boolean | undefined;
  /**
   * The term to use instead if there is no text; receives the options of the factory.
   * @default without text, a term that reads it is skipped
   */
  readonly withoutText?: ((options: TermOptions<P>) => CoverageTerm) | undefined;
  /** Computes the affinity. It may use only `ops`, so that the term runs, compiled, on every backend. */
  build<T>(
    ops: TensorOps<T>,
    inputs: Readonly<Record<keyof I, T>>,
    parameters: Readonly<Record<keyof P, T>>,
    context: CoverageContext<T, I>,
  ): CoverageOutputs<T>;
}

/** Options of every term: its weight, target weights, sample and parameters. */
export interface TermOptions<P extends TermParameters = Readonly<Record<string, never>>> {
  /** Weight of the term relative to the others, from 0 to 1e30. @default 1 */
  readonly weight?: number | undefined;
  /**
   * Weight of each target within the term, a number from 0 to 1e30 per target. Weights are rescaled to a mean of 1, so equal weights
   * leave the term's weight unchanged. They multiply the weights that the term itself gives its targets.
   */
  readonly targetWeights?: readonly number[] | undefined;
  /** Values for the term's parameters, e.g. `{ temperature: 0.05 }`. */
  readonly parameters?: { readonly [K in keyof P]?: number | undefined } | undefined;
  /** Cover a random sample of the targets, if the term supports it. @default all targets */
  readonly sample?: TargetSample | undefined;
}

const schema = z.strictObject({
  weight: weightSchema.optional(),
  targetWeights: targetWeightsSchema,
  parameters: z
    .record(
      z.string(),
      z
        .number()
        .refine((value) => Number.isFinite(Math.fround(value)), 'expected a number that float32 can hold')
        .optional(),
    )
    .optional(),
  sample: sampleSchema.optional(),
}) satisfies z.ZodType<TermOptions<TermParameters>>;

/**
 * Defines your own coverage term: its targets, and how well each candidate covers them. Returns a factory that takes weights and
 * parameters. Define a term once, at module level: its programs are compiled on first use and kept as long as the factory lives.
 *
 * @throws InvalidOptionsError for a definition that no tensors could satisfy; from the factory, for invalid options.
 * @example
 * const center = defineCoverage({
 *   name: 'center',
 *   inputs: { vision: { dims: ['n', 'D'] }, prior: { dims: ['n', 'r'] } },
 *   targets: 'r',
 *   build: (_ops, { prior }) => ({ affinity: prior }),
 * });
 * await selectTokens({ backend, vision, coverage: [visionCoverage(), center({ weight: 0.2 })], inputs: { prior }, budget });
 */
export function defineCoverage<
  const I extends TensorSpecs,
  const P extends TermParameters = Readonly<Record<never, number>>,
>(definition: CoverageDefinition<I, P>): (options?: TermOptions<P>) => CoverageTerm {
  checkDefinition(definition as unknown as CoverageDefinition<TensorSpecs, TermParameters>);
  const {
    name,
    targets,
    nonNegative = false,
    drawsTargets = false,
    calibrated = false,
    withoutText,
  } = definition;
  const defaults: TermParameters = { ...definition.parameters };
  const inputs = Object.fromEntries(
    Object.entries<TensorSpec>(definition.inputs).map(([input, { dims }]) => [
      input,
      dims as [string, string],
    ]),
  );
  const pair = (form: keyof TermPrograms): ProgramPair => ({
    fresh: termProgram(definition, form, false),
    givenNorms: termProgram(definition, form, true),
  });
  const programs: TermPrograms = {
    whole: pair('whole'),
    drawn: drawsTargets ? pair('drawn') : undefined,
    block: calibrated ? pair('block') : undefined,
  };
  return (options = {}) => {
    const what = `options of coverage term '${name}'`;
    const parsed = parseOptions(what, schema, options);
    const given = Object.entries(parsed.parameters ?? {}).filter(([, value]) => value !== undefined);
    const unknown = given.filter(([parameter]) => !Object.hasOwn(defaults, parameter));
    if (unknown.length > 0) {
      const known = Object.keys(defaults).join(', ') || 'none';
      throw new InvalidOptionsError(what, [
        `unknown parameter ${unknown.map(([parameter]) => parameter).join(', ')} (known: ${known})`,
      ]);
    }
    if (parsed.sample !== undefined && !drawsTargets) {
      throw new InvalidOptionsError(what, [
        'this term cannot be sampled; define it with drawsTargets: true and context.draw, or leave sample out',
      ]);
    }
    if (parsed.sample !== undefined && parsed.targetWeights !== undefined) {
      throw new InvalidOptionsError(what, ['sample and targetWeights cannot be combined']);
    }
    return {
      kind: 'coverage',
      name,
      weight: parsed.weight ?? 1,
      targetWeights: parsed.targetWeights,
      parameters: { ...defaults, ...(Object.fromEntries(given) as TermParameters) },
      nonNegative,
      inputs,
      sample: parsed.sample && { seed: 0, ...parsed.sample },
      targets,
      programs,
      withoutText: withoutText?.(options),
    };
  };
}

/** @throws InvalidOptionsError for inputs that nobody could pass, and for dimensions that no input has. */
function checkDefinition(definition: CoverageDefinition<TensorSpecs, TermParameters>): void {
  const { name, targets, inputs, drawsTargets, calibrated } = parseOptions(
    'coverage definition',
    definitionSchema,
    definition,
  );
  const fail = (problem: string): never => {
    throw new InvalidOptionsError(`coverage term '${name}'`, [problem]);
  };
  for (const [input, { dims, dtype }] of Object.entries(inputs)) {
    if (dims.length !== 2) {
      fail(
        `the input '${input}': it has ${dims.length} dimensions, but inputs are matrices (a vector is [n, 1])`,
      );
    }
    if (dtype === 'int32')
      fail(`the input '${input}': its dtype is 'int32', but inputs are matrices of floats`);
  }
  const known = new Set(Object.values(inputs).flatMap(({ dims }) => dims));
  for (const dim of ['n', targets]) {
    if (known.has(dim)) continue;
    fail(
      `no input has the dimension '${dim}' (dimensions: ${[...known].join(', ') || 'none'}); ` +
        `'n' counts the candidates, targets: '${targets}' the targets`,
    );
  }
  if (drawsTargets && targets !== 'n') {
    fail(`drawsTargets requires targets: 'n', the candidates, got '${targets}'`);
  }
  if (calibrated && !drawsTargets) fail('calibrated requires drawsTargets: true');
  const other = Object.entries(inputs).find(([, { dims }]) => dims[0] !== 'n');
  if (calibrated && other !== undefined) {
    fail(
      `calibrated requires inputs with one row per candidate, but '${other[0]}' is [${other[1].dims.join(', ')}]`,
    );
  }
}

const callable = z.custom<(...values: never[]) => unknown>(
  (value) => typeof value === 'function',
  'expected a function',
);
const definitionSchema = z.strictObject({
  name: z.string().min(1, 'expected a name'),
  inputs: z.record(
    z.string(),
    z.object({ dims: z.array(z.string()), dtype: z.enum(['float32', 'int32']).optional() }),
  ),
  targets: z.string(),
  parameters: z.record(z.string(), z.number()).optional(),
  nonNegative: z.boolean().optional(),
  drawsTargets: z.boolean().optional(),
  calibrated: z.boolean().optional(),
  withoutText: callable.optional(),
  build: callable,
});

/** The smallest number by which a target's affinities are divided. */
export const LEAST_SUM = 1e-30;

/**
 * The sum of each target's affinities `[1, targets]` over all candidates, of a symmetric affinity.
 * @param isDrawn whether only some of the targets are present, so that the sums of rows are not those of columns.
 */
export function targetSums<T>(ops: TensorOps<T>, affinity: T, isDrawn: boolean): T {
  // In a symmetric matrix, row sums equal column sums, and engines sum rows faster.
  const sums = isDrawn
    ? ops.sum(affinity, 0, { keepDims: true })
    : ops.transpose(ops.sum(affinity, 1, { keepDims: true }));
  return ops.maximum(sums, ops.scalar(LEAST_SUM));
}

/** Runs a term's `build`. If an operation rejects its tensors, the error names the term. */
function named<R>(term: string, build: () => R): R {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof InvalidTensorError)) throw error;
    throw new InvalidOptionsError(`coverage term '${term}'`, [`${error.tensor}: ${error.problem}`], {
      cause: error,
    });
  }
}

/**
 * Checks the shapes of a term's outputs.
 * @throws InvalidTensorError for a wrong one.
 */
function checkBuilt(outputs: CoverageOutputs<unknown>, specs: TensorSpecs, read: unknown): void {
  const { affinity, targetWeights, peak } = outputs as CoverageOutputs<Shape>;
  const given = read as TermInputs<Shape>;
  const [name = '', spec] = Object.entries(specs).find(([, { dims }]) => dims.includes('n')) ?? [];
  const n = given.tensors[name]?.dims[spec?.dims.indexOf('n') ?? 0];
  const targets = given.targetWeights.dims[1];
  const reject = (output: string, { dims }: Shape, rows: number | undefined, meaning: string): never => {
    throw new InvalidTensorError(
      output,
      `expected [${meaning}] = [${rows}, ${targets}], got [${dims.join(', ')}]`,
    );
  };
  if (affinity.dims.join() !== [n, targets].join()) reject('affinity', affinity, n, 'n, targets');
  for (const [output, built] of Object.entries({ targetWeights, peak })) {
    // Fewer axes, or axes of length 1, broadcast.
    const fits = built?.dims.every(
      (length, axis) => length === 1 || (axis === built.dims.length - 1 && length === targets),
    );
    if (built !== undefined && !(fits && built.dims.length <= 2)) reject(output, built, 1, '1, targets');
  }
}

/** Wraps a definition's `build` so that the engine also weights the targets and computes every candidate's first gain. */
function termProgram<I extends TensorSpecs, P extends TermParameters>(
  definition: CoverageDefinition<I, P>,
  form: keyof TermPrograms,
  areNormsGiven: boolean,
): NestedProgram {
  const { name, inputs, parameters = {}, calibrated = false } = definition;
  const isDrawn = form !== 'whole';
  const targets = isDrawn ? 'drawn targets' : definition.targets;
  const perRow = ([input, { dims }]: [string, TensorSpec]): [string, TensorSpec] => [
    input,
    { dims: [dims[0] as string, 'one'] },
  ];
  const tensors = Object.entries<TensorSpec>(inputs);
  const given = tensors.filter(([input]) => areNormsGiven && input !== TEXT);
  const computed = tensors.filter(([input]) => !given.some(([known]) => known === input));
  const inputSpecs: TermInputs<TensorSpec> = {
    tensors: inputs,
    parameters: Object.fromEntries(Object.keys(parameters).map((parameter) => [parameter, { dims: [] }])),
    targetWeights: { dims: ['one', targets] },
    norms: Object.fromEntries(given.map(perRow)),
    drawn: isDrawn ? { dims: [targets], dtype: 'int32' } : undefined,
  };
  const blockSpecs: BlockOutputs<TensorSpec> = {
    affinity: { dims: ['n', targets] },
    peak: { dims: ['one', targets] },
    norms: Object.fromEntries(computed.map(perRow)),
  };
  const outputSpecs: TermOutputs<TensorSpec> = {
    weights: { dims: ['one', targets] },
    firstGains: { dims: ['n', 'one'] },
    ...blockSpecs,
  };
  return defineNestedProgram({
    name: `coverage(${name})`,
    inputs: inputSpecs,
    outputs: form === 'block' ? blockSpecs : outputSpecs,
    build: <T>(ops: TensorOps<T>, read: Tree<T>): Tree<T> => {
      const from = read as TermInputs<T>;
      const fresh = Object.fromEntries(
        computed.map(([input]) => [input, ops.rowNorms(from.tensors[input] as T)] as const),
      );
      const { drawn } = from;
      const built = named(definition.name, () => {
        const outputs: CoverageOutputs<T> | undefined = definition.build(
          ops,
          from.tensors as Readonly<Record<keyof I, T>>,
          from.parameters as Readonly<Record<keyof P, T>>,
          {
            norms: { ...from.norms, ...fresh } as Readonly<Record<keyof I, T>>,
            draw: (x) => (drawn === undefined ? x : ops.gather(x, drawn, 0)),
            isDrawn,
          },
        );
        if (outputs?.affinity === undefined) {
          throw new InvalidOptionsError(`coverage term '${name}'`, [
            `build returned ${outputs === undefined ? 'nothing' : 'no affinity'}; expected { affinity }, a tensor [n, targets]`,
          ]);
        }
        if ((ops as unknown) === shapeOps) checkBuilt(outputs as CoverageOutputs<unknown>, inputs, read);
        return outputs;
      });
      const { affinity, targetWeights, peak } = built;
      const highest = peak ?? ops.max(affinity, 0, { keepDims: true });
      if (form === 'block') return { affinity, peak: highest, norms: fresh };
      // A drawn target weighs as much as it does among all targets, which are as many as the candidates.
      const even = targetWeights ?? ops.divide(ops.scalar(1), ops.size(affinity, isDrawn ? 0 : 1));
      const perTarget = calibrated ? ops.divide(even, targetSums(ops, affinity, isDrawn)) : even;
      const weights = ops.multiply(from.targetWeights, perTarget);
      const weighted = ops.multiply(affinity, weights);
      const outputs: TermOutputs<T> = {
        weights,
        affinity: weighted,
        firstGains: ops.sum(weighted, 1, { keepDims: true }),
        peak: ops.multiply(highest, weights),
        norms: fresh,
      };
      return outputs;
    },
  });
}
