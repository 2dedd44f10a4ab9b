// What the errors of this package have in common. Marked as one of mmtok's errors without importing their base class.

/** The symbol by which mmtok's errors are recognised across packages and duplicate copies. */
const marker = Symbol.for('mmtok.error');

/** A class of errors with one code. */
interface OnnxErrorClass<E extends OnnxError> {
  readonly code: string;
  readonly prototype: E;
}

/** Base of {@link OnnxFormatError} and {@link OnnxModelError}. */
export abstract class OnnxError extends Error {
  /** Stable across versions and copies of the package. */
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, marker, { value: true });
  }

  /** Whether a caught value is this error, also when it comes from another copy of this package. */
  static isInstance<E extends OnnxError>(this: OnnxErrorClass<E>, error: unknown): error is E {
    // biome-ignore lint/complexity/noThisInStatic: each subclass tells its own errors.
    return error instanceof Error && marker in error && 'code' in error && error.code === this.code;
  }
}
