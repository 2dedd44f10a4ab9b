// Field numbers of the ONNX messages this package writes and reads. Not a schema: unknown fields are skipped.
// Source: https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto

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

/** Graphs within graphs that are read and written. ONNX Runtime's parser takes a third of this; more would exhaust the stack. */
export const MAX_DEPTH = 100;
