// Finds the input tensor of the projector in the graph of a vision encoder. Reads structure only, no weights.

import type { ScannedGraph, ScannedNode } from '@mmtok/onnx';
import type { ProjectorInput } from '../internal/tapped-sessions.js';

/** Products with a constant matrix as the second input, quantized or not. */
const LINEAR = new Set([
  'MatMul',
  'Gemm',
  'FusedMatMul',
  'FusedGemm',
  'MatMulNBits',
  'MatMulBnb4',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
  'QGemm',
]);
const CONVOLUTION = new Set(['Conv', 'ConvInteger', 'FusedConv', 'NhwcFusedConv', 'QLinearConv']);
/** Operators that add two paths. */
const SUM = new Set(['Add', 'SkipLayerNormalization', 'SkipSimplifiedLayerNormalization']);
/** Operators whose inputs after the first are shapes, indices, or fill values. */
const FIRST_INPUT_ONLY = new Set([
  ...[
    'Reshape',
    'Gather',
    'GatherND',
    'GatherElements',
    'Slice',
    'Expand',
    'Tile',
    'Squeeze',
    'Unsqueeze',
    'Pad',
  ],
  ...['Split', 'Resize', 'Cast', 'CastLike', 'ReduceMean', 'ReduceSum', 'Compress', 'Transpose'],
]);
/** Operators that keep the order of numbers in memory, up to a normalization of each row. */
const ROW_BY_ROW = new Set([
  ...['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity', 'Cast', 'CastLike'],
  ...['LayerNormalization', 'SimplifiedLayerNormalization', 'RMSNormalization'],
  ...['Pow', 'ReduceMean', 'Sqrt', 'Reciprocal', 'Rsqrt', 'Add', 'Sub', 'Mul', 'Div'],
]);
const REORDER = new Set(['Gather', 'GatherND']);
/**
 * Maximum number of tensors to visit before giving up. In a real encoder, the path from the output back to the end of the
 * encoder takes a few hundred; without a limit, a malicious file could keep the search running forever.
 */
const MAX_STEPS = 200_000;

/** A graph, and the queries that the search runs on it. */
class Wiring {
  private readonly producers = new Map<string, number>();
  private readonly constants: Set<string>;
  private readonly nodes: readonly ScannedNode[];
  private steps = 0;

  constructor({ nodes, initializers }: ScannedGraph) {
    this.nodes = nodes;
    this.constants = new Set(initializers.map((tensor) => tensor.name));
    nodes.forEach((node, index) => {
      for (const output of node.outputs) this.producers.set(output, index);
      const isConstant =
        node.opType === 'Constant' ||
        (node.inputs.length > 0 && node.inputs.every((input) => this.isConstant(input)));
      if (isConstant) for (const output of node.outputs) this.constants.add(output);
    });
  }

  isConstant(tensor: string): boolean {
    return tensor === '' || this.constants.has(tensor);
  }

  producer(tensor: string): ScannedNode | undefined {
    const index = this.producers.get(tensor);
    return index === undefined ? undefined : this.nodes[index];
  }

  /** Inputs that carry features, rather than weights, shapes, or indices. */
  data(node: ScannedNode): string[] {
    const inputs = FIRST_INPUT_ONLY.has(node.opType) ? node.inputs.slice(0, 1) : node.inputs;
    return [...new Set(inputs.filter((input) => !this.isConstant(input)))];
  }

  isLinear(node: ScannedNode): boolean {
    return LINEAR.has(node.opType) && this.isConstant(node.inputs[1] ?? '');
  }

  /** Counts visited tensors; false when there are too many. */
  isWithinLimit(tensors = 1): boolean {
    this.steps += tensors;
    return this.steps <= MAX_STEPS;
  }

  /** The nearest tensor that all paths into `tensors` come from, and the nodes in between. */
  meeting(
    tensors: readonly string[],
  ): { readonly tensor: string; readonly between: readonly ScannedNode[] } | undefined {
    const front = new Set(tensors);
    const between: ScannedNode[] = [];
    const done = new Set<ScannedNode>();
    while (front.size > 1 && this.isWithinLimit(front.size)) {
      let latest: string | undefined;
      for (const tensor of front) {
        const index = this.producers.get(tensor) ?? -1;
        if (latest === undefined || index > (this.producers.get(latest) ?? -1)) latest = tensor;
      }
      const node = this.producer(latest as string);
      // A node that appears again is part of a cycle, which no runnable graph has.
      if (node === undefined || done.has(node)) return undefined;
      done.add(node);
      for (const output of node.outputs) front.delete(output);
      between.push(node);
      for (const input of this.data(node)) front.add(input);
    }
    const [tensor] = front;
    return front.size === 1 && tensor !== undefined ? { tensor, between } : undefined;
  }
}

/**
 * Walks back from an output to the end of the encoder: through everything with a single source, up to a residual block, an
 * attention, or a convolution. The earliest linear layer on the way is the projector's first.
 * @returns nothing if there is no such layer.
 */
export function findProjectorInput(graph: ScannedGraph, output: string): ProjectorInput | undefined {
  const wiring = new Wiring(graph);
  const seen = new Set<string>();
  let tensor = output;
  let features: string | undefined;
  let transposed = false;
  let order: string | undefined;
  let patches: string | undefined;
  let isRowByRow = true;
  for (;;) {
    const node = wiring.producer(tensor);
    if (node === undefined || CONVOLUTION.has(node.opType)) break;
    if (seen.has(tensor) || !wiring.isWithinLimit()) return undefined;
    seen.add(tensor);
    const inputs = wiring.data(node);
    if (inputs.length === 0) break;
    if (features === undefined && isRowGather(node)) {
      if (order !== undefined) return undefined;
      order = node.inputs[1] as string;
    }
    const meeting =
      inputs.length === 1 ? { tensor: inputs[0] as string, between: [] } : wiring.meeting(inputs);
    if (meeting === undefined) break;
    const { between } = meeting;
    const hasLinear = between.some((one) => wiring.isLinear(one));
    const isEncoder =
      between.some((one) => CONVOLUTION.has(one.opType) || isProduct(wiring, one)) ||
      (hasLinear && SUM.has(node.opType)) ||
      isProduct(wiring, node);
    if (isEncoder) {
      // The sum that ends the last block; if it is fused with a normalization, it is not a separate output.
      if (isRowByRow && node.opType === 'Add' && tensor !== features) patches = tensor;
      break;
    }
    isRowByRow &&= [node, ...between].every((one) => ROW_BY_ROW.has(one.opType));
    if (hasLinear || wiring.isLinear(node)) {
      features = meeting.tensor;
      isRowByRow = true;
      transposed = [node, ...between].some((one) => readsTransposed(one, meeting.tensor));
    }
    tensor = meeting.tensor;
  }
  if (features === undefined) return undefined;
  return {
    features,
    ...(order !== undefined && { order }),
    ...(transposed && { transposed }),
    ...(patches !== undefined && { patches }),
  };
}

/** How to read a tensor that the caller names. */
export function projectorInputNamed(graph: ScannedGraph, tensor: string): ProjectorInput {
  const transposed = graph.nodes.some((node) => readsTransposed(node, tensor));
  return { features: tensor, ...(transposed && { transposed }) };
}

/** Whether a layer transposes this input itself, as optimizers do when they fold in a preceding transpose. */
function readsTransposed({ opType, inputs, attributes }: ScannedNode, tensor: string): boolean {
  return LINEAR.has(opType) && inputs[0] === tensor && (attributes.transA?.int ?? 0) !== 0;
}

/** A product of two data tensors, as in attention. */
function isProduct(wiring: Wiring, node: ScannedNode): boolean {
  return (
    node.opType === 'Attention' ||
    node.opType === 'MultiHeadAttention' ||
    (LINEAR.has(node.opType) && !wiring.isLinear(node))
  );
}

/** Selects whole rows by index. */
function isRowGather(node: ScannedNode): boolean {
  return REORDER.has(node.opType) && (node.attributes.axis?.int ?? 0) === 0;
}
