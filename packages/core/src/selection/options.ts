// The options of a selection: their types, and the schemas that check them at the edge.

import * as z from 'zod';
import type { Backend } from '../backend/backend.js';
import type { MatrixInput } from '../backend/tensor.js';
import type { ObjectiveTerm } from '../coverage/coverage-term.js';
import { parseOptions } from '../internal/parse-options.js';
import type { Constraints } from '../maximize/eligibility.js';
import { lazyGreedy } from '../maximize/lazy-greedy.js';
import type { Maximizer } from '../maximize/maximizer.js';
import { naiveGreedy } from '../maximize/naive-greedy.js';
import type { Budget } from './budget.js';

/** What `prepareImage` takes. */
export interface PrepareOptions {
  /** Where the matrices are computed. */
  readonly backend: Backend;
  /** `[n, D]`: the vision tokens as the language model would receive them. */
  readonly vision: MatrixInput;
  /** `[n, d]`: the vision features before the projector. @default `vision` */
  readonly visionFeatures?: MatrixInput;
  /** The objective. @default `[textCoverage(), visionCoverage()]` */
  readonly coverage?: readonly ObjectiveTerm[];
  /** Further tensors that terms read, by name, e.g. `{ saliency: [n, 1] }`. */
  readonly inputs?: Readonly<Record<string, MatrixInput>>;
  /** Refuse matrices above this many bytes. @default 1 GiB */
  readonly maxMatrixBytes?: number;
}

/** What `PreparedImage.select` takes. */
export interface ImageSelectOptions {
  /** `[m, D]`: input embeddings of the question's tokens. With none, the terms that read them are left out. */
  readonly text?: MatrixInput;
  /** How many tokens to keep. */
  readonly budget: Budget;
  /** Tokens to leave out, to keep, and groups with bounds of their own. */
  readonly constraints?: Constraints;
  /**
   * The search. `'naive'` finds the same tokens as `'lazy'`, more slowly. `'device'` runs the whole search on the
   * backend, which pays where moving the matrices to the host would cost more; it knows no must-keeps and no groups.
   * @default 'lazy'
   */
  readonly maximizer?: 'lazy' | 'naive' | 'device' | Maximizer;
}

const prepareSchema = z.strictObject({
  vision: z.unknown().optional(),
  visionFeatures: z.unknown().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  backend: z.custom<Backend>(
    (value) => typeof (value as Backend | undefined)?.run === 'function',
    'expected a backend, e.g. from createOrtBackend() of @mmtok/ort-backend or createReferenceBackend()',
  ),
  coverage: z
    .array(
      z.custom<ObjectiveTerm>(
        (value) => ['coverage', 'bonus'].includes((value as ObjectiveTerm | undefined)?.kind as string),
        'expected terms made by textCoverage(), visionCoverage(), saliency() or defineCoverage()',
      ),
    )
    .min(1, 'expected at least one term')
    .refine(
      (terms) => new Set(terms.map((term) => term.name)).size === terms.length,
      'expected terms with different names',
    )
    .optional(),
  maxMatrixBytes: z.number().positive().optional(),
});

const selectSchema = z.strictObject({
  text: z.unknown().optional(),
  budget: z.unknown().optional(),
  constraints: z.unknown().optional(),
  maximizer: z.unknown().optional(),
});

const index = z.int().nonnegative();
const constraintsSchema = (candidates: number) => {
  const indices = z.array(
    index.max(candidates - 1, `expected an index below ${candidates}, the number of vision tokens`),
  );
  return z.strictObject({
    exclude: indices.optional(),
    include: indices.optional(),
    groups: z
      .array(
        z.strictObject({
          members: indices,
          min: z.int().nonnegative().optional(),
          max: z.int().nonnegative().optional(),
        }),
      )
      .optional(),
  });
};

const maximizerSchema = z.union(
  [
    z.enum(['lazy', 'naive', 'device']),
    z.custom<Maximizer>((value) => typeof (value as Maximizer | undefined)?.maximize === 'function'),
  ],
  "expected 'lazy', 'naive', 'device' or a Maximizer such as stochasticGreedy()",
);

/** Checks the options of an image, but for its tensors. */
export function checkPrepareOptions(
  options: PrepareOptions,
): Pick<PrepareOptions, 'backend' | 'coverage' | 'maxMatrixBytes'> {
  return parseOptions('options', prepareSchema, options) as Pick<
    PrepareOptions,
    'backend' | 'coverage' | 'maxMatrixBytes'
  >;
}

/** Fails for options that do not exist: a misspelt one would otherwise be ignored in silence. */
export function checkSelectOptions(options: ImageSelectOptions): void {
  parseOptions('options', selectSchema, options);
}

/** Checks the constraints of an image with that many candidates. */
export function checkConstraints(constraints: Constraints | undefined, candidates: number): Constraints {
  return parseOptions('constraints', constraintsSchema(candidates), constraints ?? {}) as Constraints;
}

/** The search that was asked for. */
export function checkMaximizer(maximizer: ImageSelectOptions['maximizer']): Maximizer | 'device' {
  const chosen = parseOptions('maximizer', maximizerSchema, maximizer ?? 'lazy');
  if (chosen === 'lazy') return lazyGreedy();
  return chosen === 'naive' ? naiveGreedy() : chosen;
}
