// Vision coverage: each vision token should have a similar kept token, optionally weighted by relevance to the question.

import * as z from 'zod';
import type { TensorOps } from '../backend/ops.js';
import { parseOptions } from '../internal/parse-options.js';
import { relevance, safeNorms } from '../similarity.js';
import {
  type CoverageTerm,
  sampleSchema,
  type TargetSample,
  targetWeightsSchema,
  temperatureSchema,
  weightSchema,
} from './coverage-term.js';
import { defineCoverage, targetSums } from './define-coverage.js';
import { focusStrength } from './focus-strength.js';

/** Options of {@link visionCoverage}. */
export interface VisionCoverageOptions {
  /** Temperature of the softmax over vision tokens, from 1e-4 to 1e6. @default 0.2 */
  readonly temperature?: number | undefined;
  /** α of the paper: weight of vision relative to text. @default 0.5 */
  readonly weight?: number | undefined;
  /** Weight of each vision token as a target, a number ≥ 0 per token, rescaled to a mean of 1. */
  readonly targetWeights?: readonly number[] | undefined;
  /**
   * Which tensor similarities come from: `'visionFeatures'`, before the projector as in the paper (or the projected tokens if there
   * are none), or `'vision'`, the projected tokens.
   * @default 'visionFeatures'
   */
  readonly features?: 'visionFeatures' | 'vision' | undefined;
  /**
   * How strongly the question decides which vision tokens need coverage: the most relevant one counts e^focus times as much as the
   * least relevant one. Relevance is the mean cosine between a row of `vision` and the rows of `text`, rescaled to 0 … 1 over the
   * image. With 0, as in the paper, or without text, all count equally. Not part of the paper: with 4, this term alone does better
   * than the paper's two on our benchmark (apps/docs/results). A prepared image then recomputes its kernel for each question.
   *
   * `'auto'` measures from the image and the question whether the text tells vision tokens apart at all, and takes 4 where it
   * clearly does, 0 where it does no more than noise would, and strengths in between.
   * @default 0
   */
  readonly focus?: number | 'auto' | undefined;
  /**
   * Cover a random sample of the vision tokens instead of all: O(n · r) memory and time instead of O(n²), for tens of thousands of
   * tokens. All tokens remain candidates. Coverage is measured on the same number of newly drawn targets, rare ones more often,
   * which doubles the term's work; the selection reports its standard error.
   * @default all tokens
   */
  readonly sample?: TargetSample | undefined;
}

const schema = z.strictObject({
  temperature: temperatureSchema.default(0.2),
  weight: weightSchema.default(0.5),
  targetWeights: targetWeightsSchema,
  features: z.enum(['visionFeatures', 'vision']).default('visionFeatures'),
  focus: z.union([weightSchema, z.literal('auto')], "expected a number from 0 to 1e30, or 'auto'").default(0),
  sample: sampleSchema.optional(),
}) satisfies z.ZodType<VisionCoverageOptions, VisionCoverageOptions>;

/**
 * The kernel over the rows of `x`. softmaxⱼ(s_ij / τ) = E_ij / Z_i with the kernel E = exp((s − 1) / τ) and Z its sums over
 * candidates. The kernel is symmetric, so a candidate's row equals its target's column and half of the products suffice; 1 / Z_i
 * becomes the target's weight. The largest entry for a target is its own, at s = 1.
 */
function kernelOf<T>(
  ops: TensorOps<T>,
  x: T,
  lengths: T,
  temperature: T,
  { draw }: { draw(all: T): T },
): { readonly affinity: T; readonly peak: T } {
  // Rows of length 1/√τ make the product s/τ, which saves a pass over the matrix.
  const rootOfTemperature = ops.exp(ops.multiply(ops.scalar(0.5), ops.log(temperature)));
  const divisors = ops.multiply(safeNorms(ops, lengths), rootOfTemperature);
  const rows = ops.divide(x, divisors);
  const largest = ops.divide(ops.scalar(1), temperature);
  const kernel = (similarity: T): T => ops.exp(ops.subtract(similarity, largest));
  const affinity = kernel(ops.matMul(rows, draw(rows), { transposeB: true }));
  const scaled = draw(ops.divide(lengths, divisors));
  return { affinity, peak: kernel(ops.transpose(ops.multiply(scaled, scaled))) };
}

type Features = 'visionFeatures' | 'vision';

/** The term over one tensor, with equal weights for all rows. */
const plainOver = (features: Features) =>
  defineCoverage({
    name: 'vision',
    inputs: { [features]: { dims: ['n', 'd'] } },
    targets: 'n',
    parameters: { temperature: 0.2 },
    nonNegative: true,
    drawsTargets: true,
    calibrated: true,
    build: (ops, inputs, { temperature }, context) => {
      type T = typeof temperature;
      return kernelOf(ops, inputs[features] as T, context.norms[features] as T, temperature, context);
    },
  });

const plain = { visionFeatures: plainOver('visionFeatures'), vision: plainOver('vision') };

/** The strength of a focus as a parameter says, or as measured; in the latter case the parameter is not read. */
type Strength = 'given' | 'measured';

/** The term over one tensor, with rows weighted by their relevance to the question. */
const focusedOver = (features: Features, strength: Strength) =>
  defineCoverage({
    name: 'vision',
    inputs: {
      [features]: { dims: ['n', 'd'] },
      vision: { dims: ['n', 'D'] },
      text: { dims: ['m', 'D'] },
    },
    targets: 'n',
    parameters: strength === 'given' ? { temperature: 0.2, focus: 4 } : { temperature: 0.2 },
    nonNegative: true,
    drawsTargets: true,
    withoutText: ({ parameters, ...options }) =>
      plain[features]({ ...options, parameters: { temperature: parameters?.temperature } }),
    build: (ops, inputs, { temperature, focus }, context) => {
      type T = typeof temperature;
      const { norms, draw, isDrawn } = context;
      const x = inputs[features] as T;
      const { affinity, peak } = kernelOf(ops, x, norms[features] as T, temperature, context);
      const asked = [inputs.vision as T, inputs.text as T, norms.vision as T] as const;
      const relevant = relevance(ops, ...asked);
      const steepness = strength === 'given' ? (focus as T) : focusStrength(ops, ...asked);
      const shares = draw(ops.softmax(ops.multiply(steepness, relevant), 0));
      const targetWeights = ops.divide(ops.transpose(shares), targetSums(ops, affinity, isDrawn));
      return { affinity, peak, targetWeights };
    },
  });

const focused = {
  visionFeatures: focusedOver('visionFeatures', 'given'),
  vision: focusedOver('vision', 'given'),
};
const selfFocused = {
  visionFeatures: focusedOver('visionFeatures', 'measured'),
  vision: focusedOver('vision', 'measured'),
};

/**
 * Vision–vision coverage (MMTok, Eq. 2): (1/n) Σᵢ maxⱼ Q_ij over the kept tokens j, where Q_ij = softmaxⱼ(xᵢ·xⱼ / τ)
 * over all n vision tokens (i itself included), on rows of unit length. Reads `visionFeatures` `[n, d]`, or `vision`; with
 * {@link VisionCoverageOptions.focus} also `vision` `[n, D]` and `text` `[m, D]`, and the mean over i is a weighted one.
 * @see https://arxiv.org/abs/2508.18264
 * @throws InvalidOptionsError for a temperature outside [1e-4, 1e6], a weight or focus outside [0, 1e30], fewer than 32
 * sampled targets, or `sample` together with `targetWeights`.
 */
export function visionCoverage(options: VisionCoverageOptions = {}): CoverageTerm {
  const { temperature, features, focus, ...common } = parseOptions(
    'options of visionCoverage',
    schema,
    options,
  );
  if (focus === 'auto') return selfFocused[features]({ ...common, parameters: { temperature } });
  return focus === 0
    ? plain[features]({ ...common, parameters: { temperature } })
    : focused[features]({ ...common, parameters: { temperature, focus } });
}
