// Where a graph's weights come from, and a file of random ones.

import { open } from 'node:fs/promises';
import { createRandom } from '@mmtok/core/internal';
import type { OnnxTensor } from '@mmtok/onnx';

/** Runtimes map whole pages into memory. */
const PAGE = 4096;
/** Values are drawn once per kind and repeated, because drawing billions would take longer than the measurement. */
const BLOCK_BYTES = 1 << 22;

/** Distribution of weights: ± 2^exponent · [1, 2), without the sign for scales and norms. */
export interface Spread {
  readonly exponent: number;
  readonly isSigned: boolean;
}

/** What a weight is stored as. */
export type WeightType = 'float32' | 'float16' | 'uint8';
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
