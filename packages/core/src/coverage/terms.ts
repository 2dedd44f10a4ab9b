// The built-in terms. Text coverage: each text token of the question should have a kept vision token that resembles it. Vision
// coverage: each vision token should have a similar kept token, optionally weighted by relevance to the question. Saliency: a bonus
// per candidate, regardless of the other picks.

import * as z from 'zod';
import type { TensorOps } from '../backend/backend.js';
import { parseOptions } from '../errors.js';
import { columnPeakedness, cosineSimilarity, relevance, safeNorms } from '../similarity.js';
import {
  type BonusTerm,
  type CoverageTerm,
  sampleSchema,
  type TargetSample,
  targetWeightsSchema,
  temperatureSchema,
  weightSchema,
} from './coverage-term.js';
import { defineCoverage, targetSums } from './define-coverage.js';
import { focusStrength } from './focus-strength.js';

/** Options of {@link textCoverage}. */
export interface TextCoverageOptions {
  /**
   * Temperature of the softmax over vision tokens, from 1e-4 to 1e6. The paper uses 0.02, and 0.01 for Qwen2.5-VL.
   * @default 0.02
   */
  readonly temperature?: number | undefined;
  /** Weight of the term relative to the others. @default 1 */
  readonly weight?: number | undefined;
  /** Weight of each text token, a number ≥ 0 per row of `text`, rescaled to a mean of 1. */
  readonly targetWeights?: readonly number[] | undefined;
  /**
   * γ of the weight (1 − normalized entropy)^γ per text token, which suppresses words that match nothing in the image. 0, as in the
   * paper, weights all tokens equally; 4 helps at very small budgets.
   * @default 0
   */
  readonly peakedness?: number | undefined;
}

const textSchema = z.strictObject({
  temperature: temperatureSchema.default(0.02),
  weight: weightSchema.default(1),
  targetWeights: targetWeightsSchema,
  peakedness: weightSchema.default(0),
}) satisfies z.ZodType<TextCoverageOptions, TextCoverageOptions>;

const textInputs = { vision: { dims: ['n', 'D'] }, text: { dims: ['m', 'D'] } } as const;

/** Calibrated similarity `[n, m]`: column *i* is the softmax over all n vision tokens of cosine / temperature. */
function calibrated<T>(ops: TensorOps<T>, vision: T, text: T, temperature: T, visionNorms: T): T {
  return ops.softmax(ops.divide(cosineSimilarity(ops, vision, text, visionNorms), temperature), 0);
}

const uniformText = defineCoverage({
  name: 'text',
  inputs: textInputs,
  targets: 'm',
  parameters: { temperature: 0.02 },
  nonNegative: true,
  build: (ops, { vision, text }, { temperature }, { norms }) => ({
    affinity: calibrated(ops, vision, text, temperature, norms.vision),
  }),
});

const peakedText = defineCoverage({
  name: 'text',
  inputs: textInputs,
  targets: 'm',
  parameters: { temperature: 0.02, peakedness: 4 },
  nonNegative: true,
  build: (ops, { vision, text }, { temperature, peakedness }, { norms }) => {
    const affinity = calibrated(ops, vision, text, temperature, norms.vision);
    const base = ops.maximum(columnPeakedness(ops, affinity), ops.scalar(1e-6));
    // A softmax of logarithms rather than powers over their sum: for large γ all powers may underflow.
    return { affinity, targetWeights: ops.softmax(ops.multiply(peakedness, ops.log(base)), 1) };
  },
});

/**
 * Text–vision coverage (MMTok, Eq. 1): (1/m) Σᵢ maxⱼ P_ij over the kept tokens j, where P_ij = softmaxⱼ(tᵢ·vⱼ / τ)
 * over all n vision tokens, on rows of unit length. Reads `vision` `[n, D]` and `text` `[m, D]`.
 * @see https://arxiv.org/abs/2508.18264
 * @throws InvalidOptionsError for a temperature outside [1e-4, 1e6] or a weight outside [0, 1e30].
 */
export function textCoverage(options: TextCoverageOptions = {}): CoverageTerm {
  const { temperature, peakedness, weight, targetWeights } = parseOptions(
    'options of textCoverage',
    textSchema,
    options,
  );
  return peakedness === 0
    ? uniformText({ weight, targetWeights, parameters: { temperature } })
    : peakedText({ weight, targetWeights, parameters: { temperature, peakedness } });
}

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
   * image. With 0, as in the paper, or without text, all count equally. Not part of the paper: with 3, this term alone does better
   * than the paper's two on our benchmark (apps/docs/results). A prepared image then recomputes its kernel for each question.
   *
   * `'auto'` measures from the image and the question whether the text tells vision tokens apart at all. It takes 3 where the text
   * matches what a part of the image shows, 4 where it matches most of the image and is far from the rest, as "background" is, 1.5
   * where it matches tokens the better the more typical they are, 0 where it does no more than noise would, and strengths in between.
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

const visionSchema = z.strictObject({
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
    visionSchema,
    options,
  );
  if (focus === 'auto') return selfFocused[features]({ ...common, parameters: { temperature } });
  return focus === 0
    ? plain[features]({ ...common, parameters: { temperature } })
    : focused[features]({ ...common, parameters: { temperature, focus } });
}

/** Options of {@link saliency}. */
export interface SaliencyOptions {
  /** Name of the tensor of bonuses, passed to `selectTokens` under `inputs`. @default 'saliency' */
  readonly input?: string | undefined;
  /** Factor on every bonus. @default 1 */
  readonly weight?: number | undefined;
}

const saliencySchema = z.strictObject({
  input: z.string().min(1).default('saliency'),
  weight: weightSchema.default(1),
}) satisfies z.ZodType<SaliencyOptions, SaliencyOptions>;

/**
 * A modular term: candidate j adds weight · saliencyⱼ to the objective, for example the attention it gets from a vision encoder's
 * class token. Reads a tensor `[n, 1]` (or `[1, n]`) of numbers ≥ 0.
 * @throws InvalidOptionsError for a weight outside [0, 1e30].
 * @example
 * const coverage = [textCoverage(), visionCoverage(), saliency({ weight: 0.1 })];
 * await selectTokens({ backend, vision, text, coverage, inputs: { saliency: attention }, budget: { tokens: 64 } });
 */
export function saliency(options: SaliencyOptions = {}): BonusTerm {
  const { input, weight } = parseOptions('options of saliency', saliencySchema, options);
  return { kind: 'bonus', name: input, weight, input };
}
