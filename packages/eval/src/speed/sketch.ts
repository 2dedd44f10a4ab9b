// A graph under construction: nodes, constants, and the building blocks that encoder and decoder share.

import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxValue } from '@mmtok/onnx';
import type { ConvolutionOp } from './convolution.js';
import type { WeightSource } from './weights.js';

/** Precision of the weights; `q4` has four bits in blocks of 32 and computes in 32-bit floats. */
export type SpeedDtype = 'fp32' | 'fp16' | 'q4';

/** The domain of ONNX Runtime's own operators. */
export const CONTRIB = 'com.microsoft';
const EPSILON: OnnxAttribute = { float: 1e-5 };
const Q4_BLOCK = 32;
/** `TensorProto.DataType`, which Cast takes as a number. */
const CAST_CODES = { float32: 1, int32: 6, float16: 10 } as const;

/** Nodes and constants of a graph under construction. */
export class Sketch {
  readonly float: 'float32' | 'float16';
  private readonly nodes: OnnxNode[] = [];
  private readonly constants: (OnnxTensor & { readonly name: string })[] = [];
  private readonly dtype: SpeedDtype;
  private readonly weights: WeightSource;

  constructor({ dtype, weights }: { readonly dtype: SpeedDtype; readonly weights: WeightSource }) {
    this.dtype = dtype;
    this.weights = weights;
    this.float = dtype === 'fp16' ? 'float16' : 'float32';
  }

  /** Adds a node; its output is `name`, or the listed outputs. */
  op(
    name: string,
    opType: string,
    inputs: readonly string[],
    more: Pick<OnnxNode, 'attributes' | 'domain'> & { readonly outputs?: readonly string[] } = {},
  ): string {
    const { outputs = [name], ...rest } = more;
    this.nodes.push({ name: `/${name}`, opType, inputs, outputs, ...rest });
    return outputs[0] as string;
  }

  constant(tensor: OnnxTensor & { readonly name: string }): string {
    this.constants.push(tensor);
    return tensor.name;
  }

  /** Weights of 32 bits in every precision, ± 2^exponent · [1, 2). */
  floats(name: string, dims: readonly number[], exponent: number, isSigned = true): string {
    return this.constant(this.weights.tensor(name, 'float32', dims, { exponent, isSigned }));
  }

  /** The weights of a norm, near 1. */
  scale(name: string, width: number): string {
    return this.constant(this.weights.tensor(name, this.float, [width], { exponent: -1, isSigned: false }));
  }

  /** `x · W`, with W `[rows, columns]` scaled to preserve the magnitude of x. */
  linear(name: string, x: string, rows: number, columns: number): string {
    const exponent = Math.round(-Math.log2(rows) / 2) - 1;
    if (this.dtype !== 'q4') {
      const matrix = this.weights.tensor(`${name}.weight`, this.float, [rows, columns], {
        exponent,
        isSigned: true,
      });
      return this.op(name, 'MatMul', [x, this.constant(matrix)]);
    }
    const blocks = Math.ceil(rows / Q4_BLOCK);
    const codes = this.weights.tensor(`${name}.weight`, 'uint8', [columns, blocks, Q4_BLOCK / 2]);
    // Codes represent −8 … 7, so their scales are smaller by two powers of two.
    const scales = this.weights.tensor(`${name}.scales`, 'float32', [columns * blocks], {
      exponent: exponent - 2,
      isSigned: false,
    });
    return this.op(name, 'MatMulNBits', [x, this.constant(codes), this.constant(scales)], {
      domain: CONTRIB,
      attributes: { K: { int: rows }, N: { int: columns }, bits: { int: 4 }, block_size: { int: Q4_BLOCK } },
    });
  }

  /** A bias, or the shift of a norm. */
  private bias(name: string, width: number): string {
    return this.constant(
      this.weights.tensor(`${name}.bias`, this.float, [width], { exponent: -6, isSigned: true }),
    );
  }

  /** `x · W + b`. */
  dense(name: string, x: string, rows: number, columns: number): string {
    return this.op(`${name}.biased`, 'Add', [this.linear(name, x, rows, columns), this.bias(name, columns)]);
  }

  /** `x · W`, or `x · W + b`. */
  project(
    name: string,
    x: string,
    [rows, columns]: readonly [rows: number, columns: number],
    biased: boolean,
  ): string {
    return biased ? this.dense(name, x, rows, columns) : this.linear(name, x, rows, columns);
  }

  /** A gated feed-forward block without biases, from `width` over `intermediate` back to `width`. */
  gatedBlock(name: string, x: string, width: number, intermediate: number): string {
    const open = this.silu(`${name}.silu`, this.linear(`${name}.gate`, x, width, intermediate));
    const gated = this.op(`${name}.gated`, 'Mul', [open, this.linear(`${name}.up`, x, width, intermediate)]);
    return this.linear(`${name}.down`, gated, intermediate, width);
  }

  /** Applies a norm to each head of `x` `[batch, rows, heads · width]`. */
  perHead(
    name: string,
    x: string,
    [heads, width]: readonly [heads: number, width: number],
    norm: (split: string) => string,
  ): string {
    const split = this.op(`${name}.heads`, 'Reshape', [
      x,
      this.list(`${name}.heads.shape`, 0, 0, heads, width),
    ]);
    return this.op(`${name}.joined`, 'Reshape', [
      norm(split),
      this.list(`${name}.shape`, 0, 0, heads * width),
    ]);
  }

  /**
   * Self-attention between the rows of `x` `[batch, rows, width]`, with biases.
   * @param headNorms whether queries and keys are normalized per head.
   */
  selfAttention(name: string, x: string, width: number, heads: number, headNorms = false): string {
    const headDim = width / heads;
    const projected = ['q', 'k', 'v'].map((kind) => {
      const plain = this.dense(`${name}.${kind}`, x, width, width);
      if (!headNorms || kind === 'v') return plain;
      const norm = `${name}.${kind}.norm`;
      return this.perHead(norm, plain, [heads, headDim], (split) => this.norm(norm, split, headDim));
    });
    const mixed = this.op(`${name}.mixed`, 'MultiHeadAttention', projected, {
      domain: CONTRIB,
      attributes: { num_heads: { int: heads } },
    });
    return this.dense(`${name}.o`, mixed, width, width);
  }

  /** A convolution with a bias, padded by half its kernel. Its weights are floats in every precision. */
  conv(
    name: string,
    x: string,
    channels: number,
    { channels: out, kernel, stride = 1, depthwise = false }: ConvolutionOp,
  ): string {
    const inputs = depthwise ? 1 : channels;
    const exponent = Math.round(-Math.log2(inputs * kernel ** 2) / 2) - 1;
    const weight = this.weights.tensor(`${name}.weight`, this.float, [out, inputs, kernel, kernel], {
      exponent,
      isSigned: true,
    });
    const pad = (kernel - 1) / 2;
    return this.op(name, 'Conv', [x, this.constant(weight), this.bias(name, out)], {
      attributes: {
        kernel_shape: { ints: [kernel, kernel] },
        strides: { ints: [stride, stride] },
        pads: { ints: [pad, pad, pad, pad] },
        group: { int: depthwise ? channels : 1 },
      },
    });
  }

  /** The fast approximation of GELU. */
  gelu(name: string, x: string): string {
    return this.op(name, 'FastGelu', [x], { domain: CONTRIB });
  }

  /** `x · sigmoid(x)`, as exporters write it. */
  silu(name: string, x: string): string {
    return this.op(name, 'Mul', [x, this.op(`${name}.sigmoid`, 'Sigmoid', [x])]);
  }

  /** `x` with its axes in another order. */
  turned(name: string, x: string, ...order: readonly number[]): string {
    return this.op(name, 'Transpose', [x], { attributes: { perm: { ints: order } } });
  }

  /** `x` times a number. */
  scaled(name: string, x: string, factor: number): string {
    const exact = this.constant({ name: `${name}.factor`, dtype: 'float32', dims: [], data: [factor] });
    return this.op(name, 'Mul', [x, this.cast(`${name}.factor.cast`, exact)]);
  }

  /** Rows of `x` divided by their root mean square. */
  norm(name: string, x: string, width: number): string {
    return this.op(name, 'SimplifiedLayerNormalization', [x, this.scale(`${name}.weight`, width)], {
      attributes: { axis: { int: -1 }, epsilon: EPSILON, stash_type: { int: 1 } },
    });
  }

  /** Rows of `x` with mean 0 and variance 1. */
  layerNorm(name: string, x: string, width: number): string {
    const weights = [this.scale(`${name}.weight`, width), this.bias(name, width)];
    return this.op(name, 'LayerNormalization', [x, ...weights], {
      attributes: { axis: { int: -1 }, epsilon: EPSILON },
    });
  }

  /** `x` cast to the graph's compute precision, or to 32-bit floats. */
  cast(name: string, x: string, to: 'float32' | 'float16' | 'int32' = this.float): string {
    return this.op(name, 'Cast', [x], { attributes: { to: { int: CAST_CODES[to] } } });
  }

  /** A list of integers, such as shapes and axes. */
  list(name: string, ...data: readonly number[]): string {
    return this.constant({ name, dtype: 'int64', dims: [data.length], data });
  }

  /** The sum of `x` and `branch`, both unnormalized and normalized: by {@link layerNorm} if biased, or by {@link norm}. */
  addAndNorm(
    name: string,
    [x, branch]: readonly [x: string, branch: string],
    width: number,
    biased: boolean,
  ): { readonly sum: string; readonly normed: string } {
    const sum = `${name}.sum`;
    const weights = [this.scale(`${name}.weight`, width), ...(biased ? [this.bias(name, width)] : [])];
    const normed = this.op(
      name,
      biased ? 'SkipLayerNormalization' : 'SkipSimplifiedLayerNormalization',
      [x, branch, ...weights],
      { domain: CONTRIB, attributes: { epsilon: EPSILON }, outputs: [`${name}.normed`, '', '', sum] },
    );
    return { sum, normed };
  }

  encode(inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Uint8Array {
    const graph = { inputs, outputs, nodes: this.nodes, initializers: this.constants };
    return encodeModel({ graph, domains: { [CONTRIB]: 1 } });
  }
}
