// Reads lists of token indices as people write them. Whether an index exists is the selection's to check.

import { UsageError } from '../errors/usage-error.js';

/**
 * Reads `'0-23,40'` as 0 … 23 and 40.
 * @throws UsageError for anything but whole numbers and ascending ranges between commas.
 */
export function parseIndices(option: string, text: string): number[] {
  return text.split(',').flatMap((part) => {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last < first || last > MAX_INDEX) {
      throw new UsageError(`${option}: expected indices and ranges such as 0-23,40, got '${text}'.`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Far beyond any number of vision tokens; a range to 1e15 is a slip of the finger. */
const MAX_INDEX = 10_000_000;
