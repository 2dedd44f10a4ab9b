// Reads numbers from the command line. What range they must be in is for the function that takes them to say.

import { UsageError } from '../errors/usage-error.js';

/** @throws UsageError for text that is not a finite number. */
export function parseNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new UsageError(`${option}: expected a number, got '${text}'.`);
  }
  return value;
}

/** @throws UsageError for text that is not a whole number that a double holds exactly. */
export function parseInteger(option: string, text: string): number {
  const value = parseNumber(option, text);
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`${option}: expected a whole number, at most 2^53 - 1, got '${text}'.`);
  }
  return value;
}

/** @throws UsageError for text that is not a whole number ≥ 1 that a double holds exactly. */
export function parseCount(option: string, text: string): number {
  const value = parseNumber(option, text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(
      `${option}: expected a whole number, at least 1 and at most 2^53 - 1, got '${text}'.`,
    );
  }
  return value;
}
