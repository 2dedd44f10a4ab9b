// The typed errors of this package.
import { MmtokError } from '@mmtok/core';

/** What an error carries beside its problem. */
interface Details {
  /** What to do, as a sentence. */
  readonly hint: string;
  readonly cause?: unknown;
}

/** The bytes are not an ONNX model, or end too early. `cause` holds the protobuf reader's own complaint, if any. */
export class OnnxFormatError extends MmtokError {
  static readonly code = 'MMTOK_ONNX_FORMAT';

  constructor(problem: string, details: Details) {
    super(OnnxFormatError.code, problem, { kind: 'data', ...details });
  }

  /** Whether a caught value is this error, also when it comes from another copy of this package. */
  static override isInstance(value: unknown): value is OnnxFormatError {
    return MmtokError.isInstance(value, OnnxFormatError.code);
  }
}

/** What was asked for does not fit the model: a payload of the wrong length, a name that the file does not have. */
export class OnnxModelError extends MmtokError {
  static readonly code = 'MMTOK_ONNX_MODEL';

  constructor(problem: string, details: Details) {
    super(OnnxModelError.code, problem, { kind: 'data', ...details });
  }

  /** Whether a caught value is this error, also when it comes from another copy of this package. */
  static override isInstance(value: unknown): value is OnnxModelError {
    return MmtokError.isInstance(value, OnnxModelError.code);
  }
}
