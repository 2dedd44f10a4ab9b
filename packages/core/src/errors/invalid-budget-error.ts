// Thrown for budgets and constraints that no selection can satisfy.

import { MmtokError } from './mmtok-error.js';

/** A budget or constraint makes no sense: zero or negative tokens, a ratio outside (0, 1], more must-keeps than budget. */
export class InvalidBudgetError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_INVALID_BUDGET', `Invalid budget: ${problem}.`);
  }
}
