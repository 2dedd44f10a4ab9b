// Text coverage: each text token of the question should have a kept vision token that resembles it.

import * as z from 'zod';
import type { TensorOps } from '../backend/ops.js';
import { parseOptions } from '../internal/parse-options.js';
import { columnPeakedness, cosineSimilarity } from '../similarity.js';
import { type CoverageTerm, targetWeightsSchema, temperatureSchema, weightSchema } from './coverage-term.js';
import { defineCoverage } from './define-coverage.js';

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
   * paper, weighs all tokens equally; 4 helps at very small budgets.
   * @default 0
   */
  readonly peakedness?: number | undefined;
}

const schema = z.strictObject({
  temperature: temperatureSchema.default(0.02),
  weight: weightSchema.default(1),
  targetWeights: targetWeightsSchema,
  peakedness: weightSchema.default(0),
}) satisfies z.ZodType<TextCoverageOptions, TextCoverageOptions>;

const inputs = { vision: { dims: ['n', 'D'] }, text: { dims: ['m', 'D'] } } as const;

/** Calibrated similarity `[n, m]`: column *i* is the softmax over all n vision tokens of cosine / temperature. */
function calibrated<T>(ops: TensorOps<T>, vision: T, text: T, temperature: T, visionNorms: T): T {
  return ops.softmax(ops.divide(cosineSimilarity(ops, vision, text, visionNorms), temperature), 0);
}

const uniform = defineCoverage({
  name: 'text',
  inputs,
  targets: 'm',
  parameters: { temperature: 0.02 },
  nonNegative: true,
  build: (ops, { vision, text }, { temperature }, { norms }) => ({
    affinity: calibrated(ops, vision, text, temperature, norms.vision),
  }),
});

const peaked = defineCoverage({
  name: 'text',
  inputs,
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
    schema,
    options,
  );
  return peakedness === 0
    ? uniform({ weight, targetWeights, parameters: { temperature } })
    : peaked({ weight, targetWeights, parameters: { temperature, peakedness } });
}
