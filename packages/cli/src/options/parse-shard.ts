// Reads `--shard`.

import { UsageError } from '../errors/usage-error.js';

/**
 * Reads `'2/8'` as the third of eight parts: parts are counted from 0, as job indices of clusters are.
 * @throws UsageError for anything else.
 */
export function parseShard(text: string): { readonly index: number; readonly count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text.trim());
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match !== null && index < count) return { index, count };
  throw new UsageError(
    `--shard: expected a part and how many there are, from 0/8 to 7/8 for eight, got '${text}'.`,
  );
}
