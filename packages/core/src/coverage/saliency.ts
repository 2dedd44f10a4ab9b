// Saliency: a bonus per candidate, regardless of the other picks.

import * as z from 'zod';
import { parseOptions } from '../internal/parse-options.js';
import { type BonusTerm, weightSchema } from './coverage-term.js';

/** Options of {@link saliency}. */
export interface SaliencyOptions {
  /** Name of the tensor of bonuses, passed to `selectTokens` under `inputs`. @default 'saliency' */
  readonly input?: string | undefined;
  /** Factor on every bonus. @default 1 */
  readonly weight?: number | undefined;
}

const schema = z.strictObject({
  input: z.string().min(1).default('saliency'),
  weight: weightSchema.default(1),
}) satisfies z.ZodType<SaliencyOptions, SaliencyOptions>;

/**
 * A modular term: candidate j adds weight · saliencyⱼ to the objective, for example the attention it gets from a vision encoder's
 * class token. Reads a tensor `[n, 1]` (or `[1, n]`) of numbers ≥ 0.
 * @throws InvalidOptionsError for a weight outside [0, 1e30].
 */
export function saliency(options: SaliencyOptions = {}): BonusTerm {
  const { input, weight } = parseOptions('options of saliency', schema, options);
  return { kind: 'bonus', name: input, weight, input };
}
