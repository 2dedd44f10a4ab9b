// Turns an inner tensor of a model file into an output by appending bytes. The rest of the file is unchanged.

import { OnnxModelError } from './errors.js';
import { readGraph } from './read-graph.js';
import { fields, GRAPH, join, MODEL, nested, string, VALUE_INFO } from './wire.js';

/**
 * The bytes that add `tensorName` to the graph's outputs when appended to an `.onnx` file. The runtime infers its
 * type and shape. Use this to append to a large file in place; if in doubt, check the name with `readGraph` first.
 *
 * Why it works: a protobuf parser merges a repeated `ModelProto.graph` into the first
 * (https://protobuf.dev/programming-guides/encoding/#last-one-wins). ONNX Runtime does; protobufjs 6 does not.
 *
 * @example
 * await appendFile('vision_encoder.onnx', graphOutputSuffix('/projector/linear_1/MatMul_output_0'));
 */
export function graphOutputSuffix(tensorName: string): Uint8Array {
  const value = [fields((writer) => string(writer, VALUE_INFO.name, tensorName))];
  return join(nested(MODEL.graph, nested(GRAPH.output, value)));
}

/**
 * A copy of a model file with `tensorName` as an additional output. If it already is an output, the same bytes.
 *
 * @throws {OnnxFormatError} if the bytes are not an ONNX model.
 * @throws {OnnxModelError} if the main graph has no tensor of that name.
 * @example
 * const session = await InferenceSession.create(appendGraphOutput(bytes, 'vision_features'));
 */
export function appendGraphOutput(bytes: Uint8Array, tensorName: string): Uint8Array {
  const graph = readGraph(bytes);
  if (graph.outputs.some((output) => output.name === tensorName)) return bytes;
  const known =
    tensorName !== '' &&
    (graph.nodes.some((node) => node.outputs.includes(tensorName)) ||
      graph.initializers.some((tensor) => tensor.name === tensorName) ||
      graph.inputs.some((input) => input.name === tensorName));
  if (!known) {
    throw new OnnxModelError(`The graph '${graph.name}' has no tensor '${tensorName}' to expose`, {
      hint: `Give the name of an output of one of its ${graph.nodes.length} nodes; readGraph lists them.`,
    });
  }
  return join([bytes, graphOutputSuffix(tensorName)]);
}
