// Vision coverage: every vision token asks to be represented by a kept token that resembles it, all alike or those most
// that matter to the question.

import * as z from 'zod';
import type { TensorSpecs } from '../backend/program.js';
import { InvalidOptionsError } from '../errors.js';
import { parseOptions } from '../internal/parse-options.js';
import { safeNorms } from '../similarity/normalize.js';
import { relevance } from '../similarity/relevance.js';
import { type CoverageTerm, defineCoverage, SAMPLE, type TargetSample, TEXT } from './coverage-term.js';

/** Options of {@link visionCoverage}. */
export interface VisionCoverageOptions {
  /** Temperature of the softmax over vision tokens. @default 0.2 */
  readonly temperature?: number;
  /** α of the paper: how much vision counts beside text. @default 0.5 */
  readonly weight?: number;
  /** How much each vision token counts as a target, one number ≥ 0 per token, scaled to a mean of 1. */
  readonly targetWeights?: readonly number[];
  /**
   * Which tensor tells how alike two vision tokens are: `'visionFeatures'`, before the projector as in the paper
   * (where absent, the projected tokens serve), or `'vision'`, the projected tokens.
   * @default 'visionFeatures'
   */
  readonly features?: 'visionFeatures' | 'vision';
  /**
   * How much the question decides which vision tokens ask to be represented: the one most relevant to it counts e^focus
   * times as much as the least relevant one. Relevance is the mean cosine between a row of `vision` and those of `text`,
   * scaled to 0 … 1 over the image. 0, the paper's method, lets all count the same, and so does an absent text. A change
   * of ours: with 4, this term alone did better than the paper's two on our benchmark (docs/results.md). A prepared image
   * computes its kernel anew for each question then.
   * @default 0
   */
  readonly focus?: number;
  /**
   * Cover a random sample of the vision tokens instead of all: O(n · r) memory and time instead of O(n²), for tens of
   * thousands of tokens. Candidates stay all tokens. Coverage is measured on as many targets drawn anew, which doubles the
   * term's work, and the selection reports its standard error.
   * @default all tokens
   */
  readonly sample?: TargetSample;
}

const schema = z.strictObject({
  temperature: z.number().positive().finite().default(0.2),
  weight: z.number().nonnegative().finite().default(0.5),
  targetWeights: z.array(z.number().nonnegative().finite()).optional(),
  features: z.enum(['visionFeatures', 'vision']).default('visionFeatures'),
  focus: z.number().nonnegative().finite().default(0),
  sample: z.strictObject({ targets: z.int().positive(), seed: z.int().optional() }).optional(),
});

type Features = 'visionFeatures' | 'vision';

const SAMPLED = { [SAMPLE]: { dims: ['r'], dtype: 'int32' } } as const;
const ASKED = { vision: { dims: ['n', 'D'] }, [TEXT]: { dims: ['m', 'D'] } } as const;

/** The term over one tensor, with all its rows as targets or those that `sample` names, and with or without a question. */
const over = (input: Features, isSampled: boolean, isFocused: boolean) =>
  defineCoverage<TensorSpecs, { readonly temperature: number; readonly focus?: number }>({
    name: 'vision',
    inputs: { [input]: { dims: ['n', 'd'] }, ...(isSampled && SAMPLED), ...(isFocused && ASKED) },
    targets: isSampled ? 'r' : 'n',
    parameters: { temperature: 0.2, ...(isFocused && { focus: 4 }) },
    nonNegative: true,
    // softmaxⱼ(s_ij / τ) = E_ij / Z_i with the kernel E = exp((s − 1) / τ) and Z its sums over candidates. The kernel is
    // symmetric, so that a candidate's row is its target's column and half of the products suffice; 1 / Z_i becomes the
    // target's weight. The largest entry for a target is its own, at s = 1.
    build: (ops, inputs, { temperature, focus }, norms) => {
      type T = (typeof inputs)[string];
      // Rows of length 1/√τ make the product s/τ, which spares a pass over the matrix.
      const x = inputs[input] as T;
      const lengths = norms[input] as T;
      const rootOfTemperature = ops.exp(ops.multiply(ops.scalar(0.5), ops.log(temperature)));
      const divisors = ops.multiply(safeNorms(ops, lengths), rootOfTemperature);
      const rows = ops.divide(x, divisors);
      const largest = ops.divide(ops.scalar(1), temperature);
      const kernel = (similarity: T): T => ops.exp(ops.subtract(similarity, largest));
      const drawn = (all: T): T => (isSampled ? ops.gather(all, inputs[SAMPLE] as T, 0) : all);
      const affinity = kernel(ops.matMul(rows, drawn(rows), { transposeB: true }));
      // Of a symmetric matrix the sums of rows are those of columns, and engines add up rows faster.
      const sums = isSampled
        ? ops.sum(affinity, 0, { keepDims: true })
        : ops.transpose(ops.sum(affinity, 1, { keepDims: true }));
      const scaled = drawn(ops.divide(lengths, divisors));
      const shares = (): T => {
        if (!isFocused) return ops.divide(ops.scalar(1), ops.size(affinity, 1));
        const relevant = relevance(ops, inputs.vision as T, inputs[TEXT] as T, norms.vision as T);
        return ops.transpose(ops.softmax(ops.multiply(focus as T, drawn(relevant)), 0));
      };
      return {
        affinity,
        targetWeights: ops.divide(shares(), ops.maximum(sums, ops.scalar(1e-30))),
        peak: kernel(ops.transpose(ops.multiply(scaled, scaled))),
      };
    },
  });

const variants = (isSampled: boolean, isFocused: boolean) => ({
  visionFeatures: over('visionFeatures', isSampled, isFocused),
  vision: over('vision', isSampled, isFocused),
});
const plain = { exact: variants(false, false), sampled: variants(true, false) };
const focused = { exact: variants(false, true), sampled: variants(true, true) };

/**
 * Vision–vision coverage (MMTok, Eq. 2): (1/n) Σᵢ maxⱼ Q_ij over the kept tokens j, where Q_ij = softmaxⱼ(xᵢ·xⱼ / τ)
 * over all n vision tokens (i itself included), on rows of unit length. Reads `visionFeatures` `[n, d]`, or `vision`; with
 * {@link VisionCoverageOptions.focus} also `vision` `[n, D]` and `text` `[m, D]`, and the mean over i is a weighted one.
 * @see https://arxiv.org/abs/2508.18264
 * @throws InvalidOptionsError for a temperature ≤ 0 or a negative weight or focus.
 */
export function visionCoverage(options: VisionCoverageOptions = {}): CoverageTerm {
  const { temperature, features, focus, weight, targetWeights, sample } = parseOptions(
    'options of visionCoverage',
    schema,
    options,
  );
  if (sample !== undefined && targetWeights !== undefined) {
    throw new InvalidOptionsError('options of visionCoverage', [
      'sample and targetWeights cannot be combined',
    ]);
  }
  const common = { weight, ...(targetWeights && { targetWeights }) };
  const targets = sample === undefined ? 'exact' : 'sampled';
  const drawn = sample && { sample: { targets: sample.targets, seed: sample.seed ?? 0 } };
  const alike = { ...plain[targets][features]({ ...common, parameters: { temperature } }), ...drawn };
  if (focus === 0) return alike;
  const asked = focused[targets][features]({ ...common, parameters: { temperature, focus } });
  return { ...asked, ...drawn, withoutText: alike };
}
