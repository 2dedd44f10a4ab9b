// A constant tensor as TensorProto bytes, always through raw_data. Does not copy typed arrays.
import { dtypeCode, rawByteLength } from './dtype.js';
import { TENSOR } from './fields.js';
import { fields, int, nested, type Pieces, string } from './message.js';
import type { OnnxTensor } from './model.js';
import { OnnxModelError } from './onnx-model-error.js';

/**
 * The TensorProto of a tensor.
 *
 * @throws {OnnxModelError} if the payload does not have the length that dtype and dims ask for.
 */
export function encodeTensor(tensor: OnnxTensor): Pieces {
  const { name = '', dtype, dims } = tensor;
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new OnnxModelError(
      `Tensor '${name}' has dims [${dims}]; a constant needs whole numbers from 0 up. Give its real lengths.`,
    );
  }
  const payload = payloadOf(tensor);
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const expected = rawByteLength(dtype, elements);
  if (expected !== payload.byteLength) {
    throw new OnnxModelError(
      `Tensor '${name}' has ${payload.byteLength} bytes, but ${dtype} [${dims}] takes ${expected ?? 'no raw'} bytes. ` +
        `Make data and dims agree.`,
    );
  }
  const head = fields((writer) => {
    for (const dim of dims) int(writer, TENSOR.dims, dim);
    int(writer, TENSOR.dataType, dtypeCode(dtype));
    if (name !== '') string(writer, TENSOR.name, name);
  });
  return [head, ...nested(TENSOR.rawData, [payload])];
}

function payloadOf(tensor: OnnxTensor): Uint8Array {
  if ('raw' in tensor) return tensor.raw;
  if (ArrayBuffer.isView(tensor.data)) return bytesOf(tensor.data);
  switch (tensor.dtype) {
    case 'float32':
      return bytesOf(Float32Array.from(tensor.data));
    case 'float64':
      return bytesOf(Float64Array.from(tensor.data));
    case 'int64':
      return bytesOf(BigInt64Array.from(tensor.data, BigInt));
    case 'int32':
      return bytesOf(Int32Array.from(tensor.data));
    case 'int8':
      return bytesOf(Int8Array.from(tensor.data));
    case 'uint8':
      return bytesOf(Uint8Array.from(tensor.data));
    case 'bool':
      return bytesOf(Uint8Array.from(tensor.data, Number));
    case 'float16':
    case 'bfloat16':
      throw new OnnxModelError(
        `Tensor '${tensor.name ?? ''}' is ${tensor.dtype} and came as plain numbers; ` +
          `give its bit patterns as a Uint16Array.`,
      );
  }
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
