// Thrown when a described model cannot be written, or a file lacks a tensor that was asked for. Marked as OnnxFormatError is.
import { isMarked, mark } from './error-marker.js';

/** What was asked for does not fit the model: a payload of the wrong length, a name that the file does not have. */
export class OnnxModelError extends Error {
  static readonly code = 'MMTOK_ONNX_MODEL';
  override readonly name: string = 'OnnxModelError';
  readonly code: string = OnnxModelError.code;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    mark(this);
  }

  /** Whether a caught value is this error, also when it comes from another copy of this package. */
  static isInstance(error: unknown): error is OnnxModelError {
    return isMarked(error, OnnxModelError.code);
  }
}
