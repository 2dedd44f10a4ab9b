// Encodes a model as the bytes of an .onnx file. Operators are not checked; the runtime checks them on load.

import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { OnnxModelError } from './errors.js';
import {
  type Dim,
  dtypeCode,
  type ExternalBytes,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  rawByteLength,
} from './model.js';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DATA_LOCATION,
  DIM,
  ENTRY,
  fields,
  float,
  GRAPH,
  int,
  join,
  MAX_DEPTH,
  MODEL,
  NODE,
  nested,
  OPSET,
  type Pieces,
  SHAPE,
  string,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './wire.js';

/**
 * Encodes `model` as the bytes of an `.onnx` file. Typed-array payloads are copied once, into the result.
 *
 * Field numbers: https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto
 *
 * @throws {OnnxModelError} if a tensor's payload does not fit its dtype and dims, a value has dims without a dtype, or
 * subgraphs are nested more than 100 deep.
 * @example
 * const bytes = encodeModel({
 *   graph: {
 *     inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 2] }],
 *     outputs: [{ name: 'y' }],
 *     nodes: [{ opType: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
 *     initializers: [{ name: 'w', dtype: 'float32', dims: [2, 1], data: [3, 4] }],
 *   },
 * });
 */
export function encodeModel(model: OnnxModel): Uint8Array {
  const { graph, opset = 17, domains = {}, irVersion = 8, producer = '@mmtok/onnx' } = model;
  const head = fields((writer) => {
    int(writer, MODEL.irVersion, irVersion);
    string(writer, MODEL.producerName, producer);
  });
  const opsets = Object.entries({ '': opset, ...domains }).flatMap(([domain, version]) =>
    nested(MODEL.opsetImport, [
      fields((writer) => {
        string(writer, OPSET.domain, domain);
        int(writer, OPSET.version, version);
      }),
    ]),
  );
  return join([head, ...nested(MODEL.graph, encodeGraph(graph, 1)), ...opsets]);
}

/** @param depth 1 for the main graph. */
function encodeGraph(graph: OnnxGraph, depth: number): Pieces {
  if (depth > MAX_DEPTH) {
    throw new OnnxModelError(
      `The graph '${graph.name ?? 'main'}' is nested more than ${MAX_DEPTH} deep, or contains itself`,
      { hint: 'Nest subgraphs less deeply.' },
    );
  }
  return [
    ...graph.nodes.flatMap((node) => nested(GRAPH.node, encodeNode(node, depth))),
    fields((writer) => string(writer, GRAPH.name, graph.name ?? 'main')),
    ...(graph.initializers ?? []).flatMap((tensor) => nested(GRAPH.initializer, encodeTensor(tensor))),
    ...graph.inputs.flatMap((value) => nested(GRAPH.input, encodeValue(value))),
    ...graph.outputs.flatMap((value) => nested(GRAPH.output, encodeValue(value))),
  ];
}

function encodeNode(node: OnnxNode, depth: number): Pieces {
  const head = fields((writer) => {
    for (const input of node.inputs) string(writer, NODE.input, input);
    for (const output of node.outputs) string(writer, NODE.output, output);
    if (node.name !== undefined) string(writer, NODE.name, node.name);
    string(writer, NODE.opType, node.opType);
    if (node.domain !== undefined) string(writer, NODE.domain, node.domain);
  });
  const attributes = Object.entries(node.attributes ?? {}).flatMap(([name, attribute]) =>
    nested(NODE.attribute, encodeAttribute(name, attribute, depth)),
  );
  return [head, ...attributes];
}

function encodeAttribute(name: string, attribute: OnnxAttribute, depth: number): Pieces {
  const head = (type: number, write?: (writer: BinaryWriter) => void): Uint8Array =>
    fields((writer) => {
      string(writer, ATTRIBUTE.name, name);
      int(writer, ATTRIBUTE.type, type);
      write?.(writer);
    });
  if ('int' in attribute) return [head(ATTRIBUTE_TYPE.int, (w) => int(w, ATTRIBUTE.int, attribute.int))];
  if ('float' in attribute) {
    return [head(ATTRIBUTE_TYPE.float, (w) => float(w, ATTRIBUTE.float, attribute.float))];
  }
  if ('string' in attribute) {
    return [head(ATTRIBUTE_TYPE.string, (w) => string(w, ATTRIBUTE.string, attribute.string))];
  }
  if ('tensor' in attribute) {
    return [head(ATTRIBUTE_TYPE.tensor), ...nested(ATTRIBUTE.tensor, encodeTensor(attribute.tensor))];
  }
  if ('graph' in attribute) {
    return [head(ATTRIBUTE_TYPE.graph), ...nested(ATTRIBUTE.graph, encodeGraph(attribute.graph, depth + 1))];
  }
  if ('ints' in attribute) {
    return [
      head(ATTRIBUTE_TYPE.ints, (w) => {
        for (const value of attribute.ints) int(w, ATTRIBUTE.ints, value);
      }),
    ];
  }
  if ('floats' in attribute) {
    return [
      head(ATTRIBUTE_TYPE.floats, (w) => {
        for (const value of attribute.floats) float(w, ATTRIBUTE.floats, value);
      }),
    ];
  }
  return [
    head(ATTRIBUTE_TYPE.strings, (w) => {
      for (const value of attribute.strings) string(w, ATTRIBUTE.strings, value);
    }),
  ];
}

function encodeValue(value: OnnxValue): Pieces {
  const head = fields((writer) => string(writer, VALUE_INFO.name, value.name));
  if (value.dtype === undefined) {
    if (value.dims !== undefined) {
      throw new OnnxModelError(
        `Value '${value.name}' has dims [${value.dims}] but no dtype; ONNX stores a shape only within a type`,
        { hint: 'Add its dtype.' },
      );
    }
    return [head];
  }
  const { dtype, dims } = value;
  const elemType = fields((writer) => int(writer, TENSOR_TYPE.elemType, dtypeCode(dtype)));
  const shape =
    dims === undefined
      ? []
      : nested(
          TENSOR_TYPE.shape,
          dims.flatMap((dim) => nested(SHAPE.dim, [encodeDim(dim)])),
        );
  return [head, ...nested(VALUE_INFO.type, nested(TYPE.tensorType, [elemType, ...shape]))];
}

function encodeDim(dim: Dim): Uint8Array {
  return fields((writer) =>
    typeof dim === 'number' ? int(writer, DIM.value, dim) : string(writer, DIM.param, dim),
  );
}

/**
 * The TensorProto of a tensor.
 *
 * @throws {OnnxModelError} if the payload does not have the length that dtype and dims require.
 */
function encodeTensor(tensor: OnnxTensor): Pieces {
  const { name = '', dtype, dims } = tensor;
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new OnnxModelError(`Tensor '${name}' has dims [${dims}]; a constant needs non-negative integers`, {
      hint: 'Replace symbolic dims by their lengths.',
    });
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
      throw new OnnxModelError(
        `Tensor '${tensor.name ?? ''}' is ${tensor.dtype}, but its data are plain numbers`,
        {
          hint: 'Pass the bit patterns as a Uint16Array.',
        },
      );
  }
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
