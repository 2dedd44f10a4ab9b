// Saliency: a bonus per candidate, whatever else is kept.

import * as z from 'zod';
import { parseOptions } from '../internal/parse-options.js';
import type { BonusTerm } from './coverage-term.js';

/** Options of {@link saliency}. */
export interface SaliencyOptions {
  /** Name of the tensor of bonuses, handed to `selectTokens` under `inputs`. @default 'saliency' */
  readonly input?: string;
  /** Factor on every bonus. @default 1 */
  readonly weight?: number;
}

const schema = z.strictObject({
  input: z.string().min(1).default('saliency'),
  weight: z.number().nonnegative().finite().default(1),
});

/**
 * A modular term: candidate j adds weight · saliencyⱼ to the objective, for example the attention it gets from a
 * vision encoder's class token. Reads a tensor `[n, 1]` (or `[1, n]`) of numbers ≥ 0.
 * @throws InvalidOptionsError for a negative weight.
 */
export function saliency(options: SaliencyOptions = {}): BonusTerm {
  const { input, weight } = parseOptions('options of saliency', schema, options);
  return { kind: 'bonus', name: input, weight, input };
}
