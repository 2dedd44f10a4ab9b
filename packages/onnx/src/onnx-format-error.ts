// Thrown when bytes are not an ONNX model.
import { OnnxError } from './onnx-error.js';

/** The bytes are not an ONNX model, or end too early. `cause` holds the protobuf reader's own complaint, if any. */
export class OnnxFormatError extends OnnxError {
  static readonly code = 'MMTOK_ONNX_FORMAT';
  override readonly name: string = 'OnnxFormatError';
  override readonly code: string = OnnxFormatError.code;
}
