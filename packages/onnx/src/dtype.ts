// The element types of ONNX tensors by name. Names follow onnxruntime's JavaScript tensors, not the proto enum.
// Source: TensorProto.DataType in https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto

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

/** Bytes that `elements` packed values take in `raw_data`; `undefined` for strings, which have no raw form. */
export function rawByteLength(dtype: Dtype, elements: number): number | undefined {
  const bits = BITS[dtype];
  return bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}
