// Thrown when bytes are not an ONNX model. Marked as one of mmtok's errors without importing their base class.
import { isMarked, mark } from './error-marker.js';

/** The bytes are not an ONNX model, or end too early. `cause` holds the protobuf reader's own complaint, if any. */
export class OnnxFormatError extends Error {
  static readonly code = 'MMTOK_ONNX_FORMAT';
  override readonly name: string = 'OnnxFormatError';
  readonly code: string = OnnxFormatError.code;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    mark(this);
  }

  /** Whether a caught value is this error, also when it comes from another copy of this package. */
  static isInstance(error: unknown): error is OnnxFormatError {
    return isMarked(error, OnnxFormatError.code);
  }
}
