// Reads precisions: one for the whole model, or one for each of its parts.

import { UsageError } from '../errors/usage-error.js';

/**
 * Reads `'q4'`, or `'vision_encoder=fp16,decoder_model_merged=q4'`. Which names there are is for the library to say.
 * @throws UsageError for anything else.
 */
export function parseDtype(text: string): string | Readonly<Record<string, string>> {
  if (/^\w+$/.test(text)) return text;
  const pairs = text.split(',').map((pair) => /^(\w+)=(\w+)$/.exec(pair.trim()));
  if (pairs.some((pair) => pair === null)) {
    throw new UsageError(
      `--dtype: expected a precision such as q4, or one per part such as vision_encoder=fp16,decoder_model_merged=q4, got '${text}'.`,
    );
  }
  return Object.fromEntries(pairs.map((pair) => [pair?.[1], pair?.[2]]));
}
