// The element types of the safetensors format: their sizes, and how those that selections need become host tensors.

import type { MatrixInput } from '@mmtok/core';
import { SafetensorsError } from '../errors.js';
import { quote, shorten } from '../terminal/safe-text.js';

/** Bytes per element. Types newer than this list are passed over, unless somebody asks for such a tensor. */
export const ELEMENT_BYTES: Readonly<Record<string, number | undefined>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/**
 * Decodes the little-endian elements of a tensor (every platform Node runs on for which engines exist is little-endian).
 * bfloat16 is widened to float32, which is exact.
 * @param bytes Starts at a multiple of 8 within its buffer.
 * @throws SafetensorsError for types that are not floats.
 */
export function decodeFloats(
  name: string,
  dtype: string,
  bytes: Uint8Array,
  dims: readonly number[],
): MatrixInput {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (dtype) {
    case 'F32':
      return { type: 'float32', data: new Float32Array(buffer, byteOffset, byteLength / 4), dims };
    case 'F64':
      return { type: 'float64', data: new Float64Array(buffer, byteOffset, byteLength / 8), dims };
    case 'F16':
      return { type: 'float16', data: new Uint16Array(buffer, byteOffset, byteLength / 2), dims };
    case 'BF16': {
      const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
      const bits = Uint32Array.from(halves, (half) => half << 16);
      return { type: 'float32', data: new Float32Array(bits.buffer), dims };
    }
    default:
      throw new SafetensorsError(
        `tensor ${quote(name)} has type ${shorten(dtype, 80)}; expected F32, F16, BF16 or F64`,
      );
  }
}
