// A graph under construction: nodes, constants, the building blocks that encoder and decoder share, and a file of random weights.

import { open } from 'node:fs/promises';
import { createRandom } from '@mmtok/core/internal';
import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxValue } from '@mmtok/onnx';
import type { ConvolutionOp } from './convolution.js';

/** Runtimes map whole pages into memory. */
const PAGE = 4096;
/** Values are drawn once per kind and repeated, because drawing billions would take longer than the measurement. */
const BLOCK_BYTES = 1 << 22;

/** Distribution of weights: ± 2^exponent · [1, 2), without the sign for scales and norms. */
interface Spread {
  readonly exponent: number;
  readonly isSigned: boolean;
}

type WeightType = 'float32' | 'float16' | 'uint8';
const BYTES: Readonly<Record<WeightType, number>> = { float32: 4, float16: 2, uint8: 1 };

interface Reserved {
  readonly dtype: WeightType;
  readonly spread: Spread;
  readonly offset: number;
  readonly bytes: number;
}

/** Where a graph's weights come from. */
export interface WeightSource {
  /** A tensor of these dimensions. @param spread of floats; bytes are uniform. */
  tensor(
    name: string,
    dtype: WeightType,
    dims: readonly number[],
    spread?: Spread,
  ): OnnxTensor & { readonly name: string };
}

/** A file of weights: tensors are reserved first, then the whole file is written. */
export class RandomWeights implements WeightSource {
  /** The file's name, relative to the models that refer to it. */
  readonly location: string;
  private readonly reserved: Reserved[] = [];
  private end = 0;

  constructor(location: string) {
    this.location = location;
  }

  /** Length of the file in bytes. */
  get bytes(): number {
    return this.end;
  }

  /**
   * Reserves a tensor.
   * @param spread of floats; bytes are uniform.
   */
  tensor(
    name: string,
    dtype: WeightType,
    dims: readonly number[],
    spread: Spread = { exponent: 0, isSigned: true },
  ): OnnxTensor & { readonly name: string } {
    const offset = Math.ceil(this.end / PAGE) * PAGE;
    const bytes = dims.reduce((product, dim) => product * dim, BYTES[dtype]);
    this.reserved.push({ dtype, spread, offset, bytes });
    this.end = offset + bytes;
    return { name, dtype, dims, external: { location: this.location, offset } };
  }

  /** Writes the file to a path. */
  async write(path: string, onProgress: (written: number) => void): Promise<void> {
    const blocks = new Map<string, Uint8Array>();
    const file = await open(path, 'w');
    try {
      for (const { dtype, spread, offset, bytes } of this.reserved) {
        const key = `${dtype} ${spread.exponent} ${spread.isSigned}`;
        const block = blocks.get(key) ?? drawBlock(dtype, spread);
        blocks.set(key, block);
        for (let at = 0; at < bytes; at += block.length) {
          await file.write(block, 0, Math.min(block.length, bytes - at), offset + at);
          onProgress(offset + at);
        }
      }
    } finally {
      await file.close();
    }
  }
}

/** Random numbers with a random sign and fraction and a fixed exponent, so that none is huge, tiny or NaN. */
function drawBlock(dtype: WeightType, { exponent, isSigned }: Spread): Uint8Array {
  const words = new Uint32Array(BLOCK_BYTES / 4);
  const random = createRandom(0);
  for (let i = 0; i < words.length; i++) words[i] = random() * 2 ** 32;
  const sign = isSigned ? 1 : 0;
  if (dtype === 'float32') {
    const rest = (127 + exponent) << 23;
    for (let i = 0; i < words.length; i++) words[i] = (words[i]! & ((sign << 31) | 0x7fffff)) | rest;
  }
  if (dtype === 'float16') {
    const halves = new Uint16Array(words.buffer);
    const rest = (15 + exponent) << 10;
    for (let i = 0; i < halves.length; i++) halves[i] = (halves[i]! & ((sign << 15) | 0x3ff)) | rest;
  }
  return new Uint8Array(words.buffer);
}

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

  biased(name: string, x: string, width: number): string {
    const bias = this.weights.tensor(`${name}.bias`, this.float, [width], { exponent: -6, isSigned: true });
    return this.op(name, 'Add', [x, this.constant(bias)]);
  }

  /** `x · W + b`. */
  dense(name: string, x: string, rows: number, columns: number): string {
    return this.biased(`${name}.biased`, this.linear(name, x, rows, columns), columns);
  }

  /** Self-attention between the rows of `x` `[batch, rows, width]`, with biases. */
  selfAttention(name: string, x: string, width: number, heads: number): string {
    const projected = ['q', 'k', 'v'].map((kind) => this.dense(`${name}.${kind}`, x, width, width));
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
    const bias = this.weights.tensor(`${name}.bias`, this.float, [out], { exponent: -6, isSigned: true });
    const pad = (kernel - 1) / 2;
    return this.op(name, 'Conv', [x, this.constant(weight), this.constant(bias)], {
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
    const shift = this.weights.tensor(`${name}.bias`, this.float, [width], { exponent: -6, isSigned: true });
    return this.op(
      name,
      'LayerNormalization',
      [x, this.scale(`${name}.weight`, width), this.constant(shift)],
      {
        attributes: { axis: { int: -1 }, epsilon: EPSILON },
      },
    );
  }

  /** `x` cast to the graph's compute precision, or to 32-bit floats. */
  cast(name: string, x: string, to: 'float32' | 'float16' | 'int32' = this.float): string {
    return this.op(name, 'Cast', [x], { attributes: { to: { int: CAST_CODES[to] } } });
  }

  /** A list of integers, such as shapes and axes. */
  list(name: string, ...data: readonly number[]): string {
    return this.constant({ name, dtype: 'int64', dims: [data.length], data });
  }

  /** The sum of `x` and `branch`, both unnormalized and normalized. */
  addAndNorm(
    name: string,
    x: string,
    branch: string,
    width: number,
  ): { readonly sum: string; readonly normed: string } {
    const sum = `${name}.sum`;
    const normed = this.op(
      name,
      'SkipSimplifiedLayerNormalization',
      [x, branch, this.scale(`${name}.weight`, width)],
      { domain: CONTRIB, attributes: { epsilon: EPSILON }, outputs: [`${name}.normed`, '', '', sum] },
    );
    return { sum, normed };
  }

  encode(inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Uint8Array {
    const graph = { inputs, outputs, nodes: this.nodes, initializers: this.constants };
    return encodeModel({ graph, domains: { [CONTRIB]: 1 } });
  }
}
