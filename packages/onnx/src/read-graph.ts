// Inspects a model file in one pass that skips weights and unknown fields. A reader generated from the full schema would add 12 kB
// gzipped to every browser bundle: see docs/decisions/0001-onnx-package.md.
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { messageOf } from '@mmtok/core/internal';
import { OnnxFormatError } from './errors.js';
import { type Dtype, dtypeName, type OnnxValue } from './model.js';
import {
  ATTRIBUTE,
  DIM,
  ENTRY,
  GRAPH,
  MAX_DEPTH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './wire.js';

/** A constant tensor without its payload. */
export interface ScannedTensor {
  readonly name: string;
  /** Absent if the file uses an element type that this package does not know. */
  readonly dtype?: Dtype;
  readonly dims: readonly number[];
  /** The external file that holds the payload, if it is not in the model itself. */
  readonly location?: string;
}

/**
 * The value of an attribute under the key of its kind. Integers are read as numbers, so those beyond 2^53 are
 * rounded. Kinds that are rare in practice (sparse tensors, lists of graphs) leave the object empty.
 */
export interface ScannedAttribute {
  readonly int?: number;
  readonly float?: number;
  readonly string?: string;
  readonly tensor?: ScannedTensor;
  readonly graph?: ScannedGraph;
  readonly ints?: readonly number[];
  readonly floats?: readonly number[];
  readonly strings?: readonly string[];
}

/** One operator, in the order of the file. */
export interface ScannedNode {
  readonly opType: string;
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, ScannedAttribute>>;
}

/** A graph or subgraph. */
export interface ScannedGraph {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly ScannedNode[];
  readonly initializers: readonly ScannedTensor[];
}

/** The main graph of a model file, with the operator versions it requires (`''` is the standard domain). */
export interface ScannedModel extends ScannedGraph {
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
}

/**
 * Inspects the bytes of an `.onnx` file. Weights are skipped without being copied or read, so the time depends on the number of
 * nodes rather than the size of the file.
 *
 * Field numbers: https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto
 *
 * @throws {OnnxFormatError} if the bytes are malformed, cut short, hold no graph, or graphs nested deeper than 100.
 * @example
 * const { nodes, initializers } = readGraph(await readFile('onnx/vision_encoder.onnx'));
 * const last = nodes.find((node) => node.outputs.includes('image_features'));
 */
export function readGraph(bytes: Uint8Array): ScannedModel {
  try {
    return readModel(bytes);
  } catch (cause) {
    if (OnnxFormatError.isInstance(cause)) throw cause;
    throw new OnnxFormatError(
      `Cannot read ${bytes.byteLength} bytes as an ONNX model (${messageOf(cause)})`,
      {
        hint: 'Pass the whole content of an .onnx file; a partial download or a Git LFS pointer fails like this.',
        cause,
      },
    );
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type GraphParts = {
  -readonly [K in keyof ScannedGraph]: ScannedGraph[K] extends readonly (infer E)[] ? E[] : string;
};

function readModel(bytes: Uint8Array): ScannedModel {
  const opsets: Record<string, number> = {};
  // A parser merges repeated occurrences of an embedded message, which is what appended outputs rely on.
  const graph = emptyGraph();
  let irVersion = 0;
  let graphs = 0;
  eachField(bytes, (field, reader) => {
    if (field === MODEL.irVersion) irVersion = integer(reader);
    else if (field === MODEL.opsetImport) Object.assign(opsets, readOpset(reader.bytes()));
    else if (field === MODEL.graph) {
      readGraphInto(graph, reader.bytes(), 1);
      graphs++;
    } else return false;
    return true;
  });
  if (graphs === 0) {
    throw new OnnxFormatError(`The ${bytes.byteLength} bytes contain no ONNX graph`, {
      hint: 'Pass the whole content of an .onnx file.',
    });
  }
  return { ...graph, irVersion, opsets };
}

function emptyGraph(): GraphParts {
  return { name: '', inputs: [], outputs: [], nodes: [], initializers: [] };
}

/** @param depth 1 for the main graph. */
function readGraphInto(graph: GraphParts, bytes: Uint8Array, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new OnnxFormatError(
      `The file contains graphs nested more than ${MAX_DEPTH} deep, which no runtime loads`,
      { hint: 'Pass a file written by a converter.' },
    );
  }
  eachField(bytes, (field, reader) => {
    if (field === GRAPH.node) graph.nodes.push(readNode(reader.bytes(), depth));
    else if (field === GRAPH.name) graph.name = reader.string();
    else if (field === GRAPH.initializer) graph.initializers.push(readTensor(reader.bytes()));
    else if (field === GRAPH.input) graph.inputs.push(readValue(reader.bytes()));
    else if (field === GRAPH.output) graph.outputs.push(readValue(reader.bytes()));
    else return false;
    return true;
  });
}

function readOpset(bytes: Uint8Array): Record<string, number> {
  let domain = '';
  let version = 0;
  eachField(bytes, (field, reader) => {
    if (field === OPSET.domain) domain = reader.string();
    else if (field === OPSET.version) version = integer(reader);
    else return false;
    return true;
  });
  return { [domain]: version };
}

function readNode(bytes: Uint8Array, depth: number): ScannedNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: [string, ScannedAttribute][] = [];
  let opType = '';
  let name = '';
  let domain = '';
  eachField(bytes, (field, reader) => {
    if (field === NODE.input) inputs.push(reader.string());
    else if (field === NODE.output) outputs.push(reader.string());
    else if (field === NODE.name) name = reader.string();
    else if (field === NODE.opType) opType = reader.string();
    else if (field === NODE.attribute) attributes.push(readAttribute(reader.bytes(), depth));
    else if (field === NODE.domain) domain = reader.string();
    else return false;
    return true;
  });
  return { opType, name, domain, inputs, outputs, attributes: Object.fromEntries(attributes) };
}

function readAttribute(bytes: Uint8Array, depth: number): [string, ScannedAttribute] {
  const attribute: Mutable<ScannedAttribute> = {};
  const ints: number[] = [];
  const floats: number[] = [];
  const strings: string[] = [];
  let name = '';
  eachField(bytes, (field, reader, wire) => {
    if (field === ATTRIBUTE.name) name = reader.string();
    else if (field === ATTRIBUTE.int) attribute.int = integer(reader);
    else if (field === ATTRIBUTE.float) attribute.float = reader.float();
    else if (field === ATTRIBUTE.string) attribute.string = reader.string();
    else if (field === ATTRIBUTE.tensor) attribute.tensor = readTensor(reader.bytes());
    else if (field === ATTRIBUTE.graph) {
      const graph = emptyGraph();
      readGraphInto(graph, reader.bytes(), depth + 1);
      attribute.graph = graph;
    } else if (field === ATTRIBUTE.ints) attribute.ints = repeated(reader, wire, ints, integer);
    else if (field === ATTRIBUTE.floats) attribute.floats = repeated(reader, wire, floats, (r) => r.float());
    else if (field === ATTRIBUTE.strings) {
      strings.push(reader.string());
      attribute.strings = strings;
    } else return false;
    return true;
  });
  return [name, attribute];
}

function readTensor(bytes: Uint8Array): ScannedTensor {
  const dims: number[] = [];
  let name = '';
  let dtype: Dtype | undefined;
  let location: string | undefined;
  eachField(bytes, (field, reader, wire) => {
    if (field === TENSOR.dims) repeated(reader, wire, dims, integer);
    else if (field === TENSOR.dataType) dtype = dtypeName(integer(reader));
    else if (field === TENSOR.name) name = reader.string();
    else if (field === TENSOR.externalData) {
      const [key, value] = readEntry(reader.bytes());
      if (key === 'location') location = value;
    } else return false;
    return true;
  });
  return { name, dims, ...(dtype && { dtype }), ...(location !== undefined && { location }) };
}

function readEntry(bytes: Uint8Array): [string, string] {
  let key = '';
  let value = '';
  eachField(bytes, (field, reader) => {
    if (field === ENTRY.key) key = reader.string();
    else if (field === ENTRY.value) value = reader.string();
    else return false;
    return true;
  });
  return [key, value];
}

function readValue(bytes: Uint8Array): OnnxValue {
  let name = '';
  let type: Pick<OnnxValue, 'dtype' | 'dims'> = {};
  eachField(bytes, (field, reader) => {
    if (field === VALUE_INFO.name) name = reader.string();
    else if (field === VALUE_INFO.type) type = readType(reader.bytes());
    else return false;
    return true;
  });
  return { name, ...type };
}

function readType(bytes: Uint8Array): Pick<OnnxValue, 'dtype' | 'dims'> {
  let dtype: Dtype | undefined;
  let dims: (number | string)[] | undefined;
  eachField(bytes, (field, reader) => {
    if (field !== TYPE.tensorType) return false;
    eachField(reader.bytes(), (inner, tensor) => {
      if (inner === TENSOR_TYPE.elemType) dtype = dtypeName(integer(tensor));
      else if (inner === TENSOR_TYPE.shape) dims = readShape(tensor.bytes());
      else return false;
      return true;
    });
    return true;
  });
  return { ...(dtype && { dtype }), ...(dims && { dims }) };
}

function readShape(bytes: Uint8Array): (number | string)[] {
  const dims: (number | string)[] = [];
  eachField(bytes, (field, reader) => {
    if (field !== SHAPE.dim) return false;
    // An axis with neither length nor name is an unnamed unknown length.
    let dim: number | string = '';
    eachField(reader.bytes(), (inner, axis) => {
      if (inner === DIM.value) dim = integer(axis);
      else if (inner === DIM.param) dim = axis.string();
      else return false;
      return true;
    });
    dims.push(dim);
    return true;
  });
  return dims;
}

/** Calls `visit` for each field of a message. Fields that it does not read (it returns `false`) are skipped. */
function eachField(
  bytes: Uint8Array,
  visit: (field: number, reader: BinaryReader, wire: WireType) => boolean,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (!visit(field, reader, wire)) reader.skip(wire, field);
    if (reader.pos > reader.len) throw new RangeError('premature EOF');
  }
}

/** Appends the value or, in the packed form, the values of a repeated number field. */
function repeated(
  reader: BinaryReader,
  wire: WireType,
  into: number[],
  read: (reader: BinaryReader) => number,
): number[] {
  if (wire !== WireType.LengthDelimited) {
    into.push(read(reader));
    return into;
  }
  const packed = new BinaryReader(reader.bytes());
  while (packed.pos < packed.len) into.push(read(packed));
  return into;
}

function integer(reader: BinaryReader): number {
  return Number(reader.int64());
}
