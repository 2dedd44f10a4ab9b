// The typed errors of this package.

import { MmtokError } from '@mmtok/core';

/** Details of an error besides its problem. */
interface Details {
  /** What to do, a whole sentence. */
  readonly hint: string;
  readonly cause?: unknown;
}

/** The bytes are not an ONNX model, or are truncated. `cause` holds the protobuf reader's error, if any. */
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

/** The request does not fit the model, e.g. a payload has the wrong length, or the file has no tensor of that name. */
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
