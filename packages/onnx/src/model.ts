// A model as plain data, before it is bytes: one type per ONNX message, and the element types of tensors.

/** One axis: a fixed length, or the name of a length that is known at run time. */
export type Dim = number | string;

/**
 * A graph input or output. An output may have only a name; the runtime then infers its type and shape. Inputs need a `dtype`.
 * Without `dims`, the rank is unknown.
 */
export interface OnnxValue {
  readonly name: string;
  readonly dtype?: Dtype;
  readonly dims?: readonly Dim[];
}

/**
 * A constant tensor of shape `dims` (`[]` for a scalar) in row-major order.
 *
 * `data` takes typed arrays without conversion, or plain numbers; half floats come as bit patterns.
 * `raw` takes the little-endian bytes of any dtype, as `TensorProto.raw_data` holds them.
 * `external` leaves those bytes in another file, which models above protobuf's limit of 2 GB need.
 */
export type OnnxTensor = { readonly name?: string; readonly dims: readonly number[] } & (
  | { readonly dtype: 'float32'; readonly data: Float32Array | readonly number[] }
  | { readonly dtype: 'float64'; readonly data: Float64Array | readonly number[] }
  | { readonly dtype: 'float16' | 'bfloat16'; readonly data: Uint16Array }
  | { readonly dtype: 'int64'; readonly data: BigInt64Array | readonly (number | bigint)[] }
  | { readonly dtype: 'int32'; readonly data: Int32Array | readonly number[] }
  | { readonly dtype: 'int8'; readonly data: Int8Array | readonly number[] }
  | { readonly dtype: 'uint8'; readonly data: Uint8Array | readonly number[] }
  | { readonly dtype: 'bool'; readonly data: Uint8Array | readonly boolean[] }
  | { readonly dtype: Exclude<Dtype, 'string'>; readonly raw: Uint8Array }
  | { readonly dtype: Exclude<Dtype, 'string'>; readonly external: ExternalBytes }
);

/** Where the bytes of a tensor lie outside the model's file. */
export interface ExternalBytes {
  /** The file's path, relative to the folder of the model's file. */
  readonly location: string;
  /** In bytes, from the start of that file. Runtimes map multiples of 4096 into memory without a copy. */
  readonly offset: number;
}

/** The value of a node attribute under the key that names its kind, such as `{ int: 1 }` or `{ floats: [0.5] }`. */
export type OnnxAttribute =
  | { readonly int: number | bigint }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly tensor: OnnxTensor }
  | { readonly graph: OnnxGraph }
  | { readonly ints: readonly (number | bigint)[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] };

/** One operator. An absent optional input is the empty string. `domain` is empty for the standard operators. */
export interface OnnxNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly name?: string;
  readonly domain?: string;
}

/** A graph, or the subgraph of a `Loop`, `If` or `Scan`. Nodes are in execution order. */
export interface OnnxGraph {
  readonly name?: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers?: readonly (OnnxTensor & { readonly name: string })[];
}

/** A model file. */
export interface OnnxModel {
  readonly graph: OnnxGraph;
  /** Version of the standard operators. @default 17 */
  readonly opset?: number;
  /** Versions of further operator domains, such as `{ 'com.microsoft': 1 }`. */
  readonly domains?: Readonly<Record<string, number>>;
  /** Version of the file format. @default 8 */
  readonly irVersion?: number;
  /** Who wrote the file. @default '@mmtok/onnx' */
  readonly producer?: string;
}

const CODES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
} as const;

/** Element type of a tensor, named as onnxruntime's JavaScript tensors name it. */
export type Dtype = keyof typeof CODES;

const NAMES: ReadonlyMap<number, Dtype> = new Map(
  Object.entries(CODES).map(([name, code]) => [code, name as Dtype]),
);

const BITS: Partial<Record<Dtype, number>> = {
  float32: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  bool: 8,
  float16: 16,
  float64: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
};

/** The `TensorProto.DataType` number of a dtype. */
export function dtypeCode(dtype: Dtype): number {
  return CODES[dtype];
}

/** The dtype of a `TensorProto.DataType` number; `undefined` for 0 and for numbers newer than this table. */
export function dtypeName(code: number): Dtype | undefined {
  return NAMES.get(code);
}

/** The size in bytes of `elements` packed values in `raw_data`; `undefined` for strings, which have no raw form. */
export function rawByteLength(dtype: Dtype, elements: number): number | undefined {
  const bits = BITS[dtype];
  return bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}
