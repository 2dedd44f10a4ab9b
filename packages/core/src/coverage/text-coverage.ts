// Text coverage: every text token of the question asks for the vision tokens that look like it.

import * as z from 'zod';
import type { TensorOps } from '../backend/ops.js';
import { parseOptions } from '../internal/parse-options.js';
import { cosineSimilarity } from '../similarity/cosine.js';
import { columnPeakedness } from '../similarity/peakedness.js';
import { type CoverageTerm, defineCoverage } from './coverage-term.js';

/** Options of {@link textCoverage}. */
export interface TextCoverageOptions {
  /** Temperature of the softmax over vision tokens. The paper uses 0.02, and 0.01 for Qwen2.5-VL. @default 0.02 */
  readonly temperature?: number;
  /** How much text counts beside the other terms. @default 1 */
  readonly weight?: number;
  /** How much each text token counts, one number ≥ 0 per row of `text`, scaled to a mean of 1. */
  readonly targetWeights?: readonly number[];
  /**
   * γ of the weight (1 − normalised entropy)^γ per text token, so that words which see nothing in the image ask for
   * nothing. 0, the paper's method, gives all tokens the same weight; 4 helps at very small budgets.
   * @default 0
   */
  readonly peakedness?: number;
}

const schema = z.strictObject({
  temperature: z.number().positive().finite().default(0.02),
  weight: z.number().nonnegative().finite().default(1),
  targetWeights: z.array(z.number().nonnegative().finite()).optional(),
  peakedness: z.number().nonnegative().finite().default(0),
});

const inputs = {
  vision: { dims: ['n', 'D'] },
  text: { dims: ['m', 'D'] },
} as const;

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
  build: (ops, { vision, text }, { temperature }, norms) => ({
    affinity: calibrated(ops, vision, text, temperature, norms.vision),
  }),
});

const peaked = defineCoverage({
  name: 'text',
  inputs,
  targets: 'm',
  parameters: { temperature: 0.02, peakedness: 4 },
  nonNegative: true,
  build: (ops, { vision, text }, { temperature, peakedness }, norms) => {
    const affinity = calibrated(ops, vision, text, temperature, norms.vision);
    const base = ops.maximum(columnPeakedness(ops, affinity), ops.scalar(1e-6));
    // Powers divided by their sum, as a softmax of logarithms: at large γ all the powers may underflow.
    return { affinity, targetWeights: ops.softmax(ops.multiply(peakedness, ops.log(base)), 1) };
  },
});

/**
 * Text–vision coverage (MMTok, Eq. 1): (1/m) Σᵢ maxⱼ P_ij over the kept tokens j, where P_ij = softmaxⱼ(tᵢ·vⱼ / τ)
 * over all n vision tokens, on rows of unit length. Reads `vision` `[n, D]` and `text` `[m, D]`.
 * @see https://arxiv.org/abs/2508.18264
 * @throws InvalidOptionsError for a temperature ≤ 0 or a negative weight.
 */
export function textCoverage(options: TextCoverageOptions = {}): CoverageTerm {
  const { temperature, peakedness, ...rest } = parseOptions('options of textCoverage', schema, options);
  const common = {
    weight: rest.weight,
    ...(rest.targetWeights && { targetWeights: rest.targetWeights }),
  };
  return peakedness === 0
    ? uniform({ ...common, parameters: { temperature } })
    : peaked({ ...common, parameters: { temperature, peakedness } });
}
