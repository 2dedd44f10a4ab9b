// The terms of an objective. A coverage term is a weighted program that computes affinities of candidates and targets; a bonus term
// adds a number per candidate.

import * as z from 'zod';
import type { NestedProgram } from '../backend/nested-program.js';

/** The input that comes with the question. All others belong to the image. */
export const TEXT = 'text';

/** A random sample of targets. */
export interface TargetSample {
  /** Number of targets to draw, at least 32. If there are fewer targets, all are used. */
  readonly targets: number;
  /** @default 0 */
  readonly seed?: number | undefined;
}

/** The standard error of an estimate from fewer targets is unreliable. */
const LEAST_SAMPLE = 32;

// Inputs and outputs of programs are types because interfaces would not fit `Tree`.

/** Inputs of a term's program, as nested records. */
export type TermInputs<T> = {
  /** The tensors the term reads, by name. */
  readonly tensors: Readonly<Record<string, T>>;
  /** `[]` each. */
  readonly parameters: Readonly<Record<string, T>>;
  /** `[1, targets]`: the caller's weight of each target, times the correction for how it was drawn. */
  readonly targetWeights: T;
  /** `[rows, 1]`: known row norms. For tensors without an entry the program computes them. */
  readonly norms: Readonly<Record<string, T>>;
  /** *index* `[targets]`: which targets to compute. @default all */
  readonly drawn?: T | undefined;
};

/** Outputs of a term's program before any weights are applied, as nested records. */
export type BlockOutputs<T> = {
  /** `[n, targets]` */
  readonly affinity: T;
  /** `[1, targets]`: the highest affinity each target can reach. */
  readonly peak: T;
  /**
   * `[rows, 1]`: the row norms that were not given. They show whether a tensor is finite. Most terms need them anyway, so this check
   * of millions of numbers is free.
   */
  readonly norms: Readonly<Record<string, T>>;
};

/** Outputs of a term's program, as nested records; the weights are multiplied into affinity and peak. */
export type TermOutputs<T> = BlockOutputs<T> & {
  /** `[1, targets]`: how much each target counts. */
  readonly weights: T;
  /** `[n, 1]`: sums of the affinity's rows. */
  readonly firstGains: T;
};

/** A program, and the same program when the row norms of the image's tensors are known. */
export interface ProgramPair {
  /** Computes all row norms. */
  readonly fresh: NestedProgram;
  /** Reads the row norms of the image's tensors, and computes those of the text. */
  readonly givenNorms: NestedProgram;
}

/** The programs of one term. */
export interface TermPrograms {
  /** All targets. */
  readonly whole: ProgramPair;
  /** Drawn targets; absent if the term cannot be sampled. */
  readonly drawn?: ProgramPair | undefined;
  /**
   * Drawn targets of a calibrated term before any weights: the outputs are affinity, peak and norms. Run on the candidates from
   * some row on, it computes a block of the matrix; the rest follows by symmetry. Absent for terms that are not calibrated.
   */
  readonly block?: ProgramPair | undefined;
}

/** One weighted term of the objective, made by `textCoverage()`, `visionCoverage()` or your own `defineCoverage()`. */
export interface CoverageTerm {
  readonly kind: 'coverage';
  readonly name: string;
  readonly weight: number;
  readonly targetWeights?: readonly number[] | undefined;
  readonly parameters: Readonly<Record<string, number>>;
  readonly nonNegative: boolean;
  /** Names of the tensors the term reads, with the names of their two dimensions. */
  readonly inputs: Readonly<Record<string, readonly [rows: string, columns: string]>>;
  /** The number of targets to draw. @default all */
  readonly sample?: TargetSample | undefined;
  /** Name of the dimension that counts the targets. */
  readonly targets: string;
  readonly programs: TermPrograms;
  /** Replaces a term that reads text if there is no text. Absent: the term is skipped. */
  readonly withoutText?: CoverageTerm | undefined;
}

/** A bonus per candidate, added to its gain regardless of the other picks. Made by `saliency()`. */
export interface BonusTerm {
  readonly kind: 'bonus';
  readonly name: string;
  readonly weight: number;
  /** Name of the input `[n, 1]` or `[1, n]` that holds the bonus of each candidate, ≥ 0. */
  readonly input: string;
}

/** A term of the objective. */
export type ObjectiveTerm = CoverageTerm | BonusTerm;

/** The names of the tensors a term reads. */
export function inputsOf(term: ObjectiveTerm): string[] {
  return term.kind === 'bonus' ? [term.input] : Object.keys(term.inputs);
}

/** Far above any sensible weight, and low enough that sums of weighted terms stay finite in float32. */
const LARGEST_WEIGHT = 1e30;
const IN_RANGE = 'expected a number from 0 to 1e30';

/** A weight of a term or a target. */
export const weightSchema: z.ZodNumber = z
  .number(IN_RANGE)
  .nonnegative(IN_RANGE)
  .max(LARGEST_WEIGHT, IN_RANGE);
/** Weights per target. */
export const targetWeightsSchema: z.ZodOptional<z.ZodArray<z.ZodNumber>> = z.array(weightSchema).optional();
/** A temperature. Below 1e-4, float32 rounding of cosines decides; above 1e6, all affinities are equal. */
export const temperatureSchema: z.ZodNumber = z
  .number('expected a number from 1e-4 to 1e6')
  .min(1e-4, 'expected a number from 1e-4 to 1e6')
  .max(1e6, 'expected a number from 1e-4 to 1e6');
/** How targets are drawn. */
export const sampleSchema: z.ZodType<TargetSample, TargetSample> = z.strictObject({
  targets: z.int().min(LEAST_SAMPLE, `expected a whole number of at least ${LEAST_SAMPLE}`),
  seed: z.int().optional(),
});

const finiteRecord = z.record(z.string(), z.number());
const program = z.custom<NestedProgram>(
  (value) => typeof (value as NestedProgram | undefined)?.flat?.build === 'function',
);
const programPair = z.object({ fresh: program, givenNorms: program });

/** The end of a message about a value that is not a term. */
export const TERM_EXPECTED =
  'expected a term made by textCoverage(), visionCoverage(), saliency() or defineCoverage()';

/** Recognizes a term by its shape rather than its class, because several copies of the package may be loaded. */
export const termSchema: z.ZodType<ObjectiveTerm, ObjectiveTerm> = z.union(
  [
    z.object({
      kind: z.literal('bonus'),
      name: z.string(),
      weight: weightSchema,
      input: z.string(),
    }),
    z.object({
      kind: z.literal('coverage'),
      name: z.string(),
      weight: weightSchema,
      targetWeights: targetWeightsSchema,
      parameters: finiteRecord,
      nonNegative: z.boolean(),
      inputs: z.record(z.string(), z.tuple([z.string(), z.string()])),
      sample: sampleSchema.optional(),
      targets: z.string(),
      programs: z.object({
        whole: programPair,
        drawn: programPair.optional(),
        block: programPair.optional(),
      }),
      withoutText: z.lazy(() => termSchema as z.ZodType<CoverageTerm, CoverageTerm>).optional(),
    }),
  ],
  TERM_EXPECTED,
);

/** Whether a value has the shape of a term. Throws what reading it throws. */
export function isTerm(value: unknown): value is ObjectiveTerm {
  return termSchema.safeParse(value).success;
}
