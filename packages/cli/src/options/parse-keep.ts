// Reads `--keep`.

import { type Budget, InvalidBudgetError, MmtokError, parseBudget } from '@mmtok/core';

/**
 * Reads `'64'` tokens, `'10%'` of the tokens or `'c0.95'` of the coverage.
 * @throws InvalidBudgetError in terms of the command line.
 */
export function parseKeep(text: string): Budget {
  try {
    return parseBudget(text);
  } catch (error) {
    if (!MmtokError.isInstance(error, 'MMTOK_INVALID_BUDGET')) throw error;
    throw new InvalidBudgetError(
      `--keep ${text}; expected a number of tokens from 1 such as 64, a share above 0 % up to 100 % such as 10%, ` +
        'or a coverage above 0 up to 1 such as c0.95',
    );
  }
}
