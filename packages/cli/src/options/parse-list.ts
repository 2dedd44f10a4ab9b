// Reads lists with commas, such as `--methods` and the budgets of `--keep`.

import { UsageError } from '../errors/usage-error.js';

/**
 * Reads `'64, 10%'` as two entries.
 * @throws UsageError for empty entries, or one that is there twice.
 */
export function parseList(option: string, text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  if (entries.includes('')) throw new UsageError(`${option}: expected names between commas, got '${text}'.`);
  const twice = entries.find((entry, at) => entries.indexOf(entry) < at);
  if (twice !== undefined) throw new UsageError(`${option}: '${twice}' is there twice.`);
  return entries;
}
