// A constant tensor as TensorProto bytes: through raw_data, or as a reference to bytes in another file. Does not copy
// typed arrays and reads no file.
import { dtypeCode, rawByteLength } from './dtype.js';
import { OnnxModelError } from './errors.js';
import { DATA_LOCATION, ENTRY, TENSOR } from './fields.js';
import { fields, int, nested, type Pieces, string } from './message.js';
import type { ExternalBytes, OnnxTensor } from './model.js';

/**
 * The TensorProto of a tensor.
 *
 * @throws {OnnxModelError} if the payload does not have the length that dtype and dims ask for.
 */
export function encodeTensor(tensor: OnnxTensor): Pieces {
  const { name = '', dtype, dims } = tensor;
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new OnnxModelError(
      `Tensor '${name}' has dims [${dims}]; a constant needs whole numbers from 0 up`,
      { hint: 'Give its real lengths.' },
    );
  }
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const expected = rawByteLength(dtype, elements);
  const head = fields((writer) => {
    for (const dim of dims) int(writer, TENSOR.dims, dim);
    int(writer, TENSOR.dataType, dtypeCode(dtype));
    if (name !== '') string(writer, TENSOR.name, name);
  });
  if ('external' in tensor) return [head, ...encodeExternal(tensor.external, expected as number)];
  const payload = payloadOf(tensor);
  if (expected !== payload.byteLength) {
    throw new OnnxModelError(
      `Tensor '${name}' has ${payload.byteLength} bytes, but ${dtype} [${dims}] takes ${expected ?? 'no raw'} bytes`,
      { hint: 'Make data and dims agree.' },
    );
  }
  return [head, ...nested(TENSOR.rawData, [payload])];
}

function encodeExternal({ location, offset }: ExternalBytes, length: number): Pieces {
  const entries = Object.entries({ location, offset, length }).flatMap(([key, value]) =>
    nested(TENSOR.externalData, [
      fields((writer) => {
        string(writer, ENTRY.key, key);
        string(writer, ENTRY.value, String(value));
      }),
    ]),
  );
  return [...entries, fields((writer) => int(writer, TENSOR.dataLocation, DATA_LOCATION.external))];
}

function payloadOf(tensor: Exclude<OnnxTensor, { readonly external: ExternalBytes }>): Uint8Array {
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
      throw new OnnxModelError(`Tensor '${tensor.name ?? ''}' is ${tensor.dtype} and came as plain numbers`, {
        hint: 'Give its bit patterns as a Uint16Array.',
      });
  }
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
