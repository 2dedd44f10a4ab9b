// The symbol by which mmtok's errors are recognised across packages and duplicate copies. Not a base class.
const marker = Symbol.for('mmtok.error');

/** Marks an error as one of mmtok's. */
export function mark(error: Error): void {
  Object.defineProperty(error, marker, { value: true });
}

/** Whether a caught value is the error of mmtok that has this code. */
export function isMarked(error: unknown, code: string): boolean {
  return error instanceof Error && marker in error && 'code' in error && error.code === code;
}
