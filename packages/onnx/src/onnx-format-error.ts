// Thrown when bytes are not an ONNX model. Self-contained: it carries the marker of mmtok's errors without importing them.
const marker: unique symbol = Symbol.for('mmtok.error') as never;
const formatMarker: unique symbol = Symbol.for('mmtok.error.OnnxFormatError') as never;

/** The bytes are not an ONNX model, or end too early. `cause` holds the reader's own complaint, if any. */
export class OnnxFormatError extends Error {
  override readonly name = 'OnnxFormatError';
}
