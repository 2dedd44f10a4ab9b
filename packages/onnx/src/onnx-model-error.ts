// Thrown when a described model cannot be written, or a file lacks a tensor that was asked for.
import { OnnxError } from './onnx-error.js';

/** What was asked for does not fit the model: a payload of the wrong length, a name that the file does not have. */
export class OnnxModelError extends OnnxError {
  static readonly code = 'MMTOK_ONNX_MODEL';
  override readonly name: string = 'OnnxModelError';
  override readonly code: string = OnnxModelError.code;
}
