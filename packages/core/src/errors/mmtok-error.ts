// The base class of every error that mmtok throws on purpose. Not for bugs: those stay plain Errors.

const MARKER = Symbol.for('mmtok.error');

/**
 * Base class of all typed errors. `MmtokError.isInstance(error)` holds across duplicate copies of the package,
 * where `instanceof` would not.
 */
export class MmtokError extends Error {
  /** A stable, machine-readable code such as `MMTOK_INVALID_BUDGET`. */
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    Object.defineProperty(this, MARKER, { value: true });
  }

  /** Whether `value` is an error thrown by any copy of mmtok; with `code`, whether it is that very error. */
  static isInstance(value: unknown, code?: string): value is MmtokError {
    const isMarked = typeof value === 'object' && value !== null && MARKER in value;
    return isMarked && (code === undefined || (value as unknown as MmtokError).code === code);
  }
}
