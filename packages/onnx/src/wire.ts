// The ONNX messages on the wire: their field numbers, and messages as lists of byte pieces, so that large payloads are nested
// without being copied. Field numbers: https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto

import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** The pieces of a message in order. Payloads are views on the caller's memory. */
export type Pieces = readonly Uint8Array[];

/** The length of a message in bytes. */
function byteLength(pieces: Pieces): number {
  return pieces.reduce((total, piece) => total + piece.byteLength, 0);
}

/** A message, or payload, as length-delimited field `field` of its parent. */
export function nested(field: number, pieces: Pieces): Uint8Array[] {
  const head = new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(byteLength(pieces)).finish();
  return [head, ...pieces];
}

/** Fields that a function writes with a `BinaryWriter`, as one piece. */
export function fields(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** A string field. */
export function string(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

/** An integer field: int32, int64, enum. */
export function int(writer: BinaryWriter, field: number, value: number | bigint): void {
  writer.tag(field, WireType.Varint).int64(typeof value === 'bigint' ? value.toString() : value);
}

/** A float field. */
export function float(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Bit32).float(value);
}

/** Joins all pieces into one buffer. This is the only time that a payload is copied. */
export function join(pieces: Pieces): Uint8Array {
  const bytes = new Uint8Array(byteLength(pieces));
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.byteLength;
  }
  return bytes;
}

export const MODEL = { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 } as const;

export const OPSET = { domain: 1, version: 2 } as const;

export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;

export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 } as const;

export const ATTRIBUTE = {
  name: 1,
  float: 2,
  int: 3,
  string: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  ints: 8,
  strings: 9,
  type: 20,
} as const;

/** `AttributeProto.AttributeType`, by the key that an attribute has in this package. */
export const ATTRIBUTE_TYPE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export const TENSOR = {
  dims: 1,
  dataType: 2,
  name: 8,
  rawData: 9,
  externalData: 13,
  dataLocation: 14,
} as const;

/** `TensorProto.DataLocation`. */
export const DATA_LOCATION = { external: 1 } as const;

/** `StringStringEntryProto`, the entries of `TensorProto.external_data`. */
export const ENTRY = { key: 1, value: 2 } as const;

export const VALUE_INFO = { name: 1, type: 2 } as const;

export const TYPE = { tensorType: 1 } as const;

export const TENSOR_TYPE = { elemType: 1, shape: 2 } as const;

export const SHAPE = { dim: 1 } as const;

export const DIM = { value: 1, param: 2 } as const;

/** How deeply graphs may be nested. ONNX Runtime's parser accepts a third of this; more would exhaust the stack. */
export const MAX_DEPTH = 100;
