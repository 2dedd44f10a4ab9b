// The public API of @mmtok/onnx: write a model, inspect a file, expose an inner tensor.
export { appendGraphOutput, graphOutputSuffix } from './append-graph-output.js';
export { encodeModel } from './encode-model.js';
export { OnnxFormatError, OnnxModelError } from './errors.js';
export type {
  Dim,
  Dtype,
  ExternalBytes,
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from './model.js';
export {
  readGraph,
  type ScannedAttribute,
  type ScannedGraph,
  type ScannedModel,
  type ScannedNode,
  type ScannedTensor,
} from './read-graph.js';
