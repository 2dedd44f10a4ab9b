// Tensors of a graph that is being recorded, and the nodes that make them.

import type { OnnxAttribute } from '@mmtok/onnx';

/** A tensor that exists only as a name in the graph being recorded. */
export interface SymbolicTensor {
  readonly name: string;
}

/** Appends a node with one output, named `output` or uniquely. */
export type RecordNode = (
  opType: string,
  inputs: readonly SymbolicTensor[],
  attributes?: Readonly<Record<string, OnnxAttribute>>,
  output?: string,
) => SymbolicTensor;
