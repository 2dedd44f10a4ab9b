// A safetensors file in memory. A reader of our own, because npm offers none that is kept up and reads local files:
// @huggingface/hub reads headers of remote files only. Writes nothing.

import type { MatrixInput } from '@mmtok/core';
import { SafetensorsError } from '../errors/safetensors-error.js';
import { decodeFloats } from './dtype.js';
import { readHeader, type TensorEntry } from './header.js';

/** The tensors of a file by name; elements are decoded when asked for. */
export class SafetensorsFile {
  private readonly file: Uint8Array;
  private readonly entries: ReadonlyMap<string, TensorEntry>;

  /** @throws SafetensorsError if the file is malformed or cut short. */
  constructor(file: Uint8Array) {
    this.file = file;
    this.entries = readHeader(file);
  }

  /** Names of the tensors, in the order of the header. */
  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  /**
   * A matrix of floats, or undefined where the file has no tensor of that name.
   * @throws SafetensorsError if it is not of a type of floats.
   */
  find(name: string): MatrixInput | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    // Copied, since a tensor may begin anywhere in the file, but a typed array only at a multiple of its element size.
    const bytes = new Uint8Array(this.file.subarray(entry.begin, entry.end));
    return decodeFloats(name, entry.dtype, bytes, entry.dims);
  }

  /**
   * A matrix of floats that must be there.
   * @throws SafetensorsError if it is not, or not of a type of floats.
   */
  get(name: string): MatrixInput {
    const tensor = this.find(name);
    if (tensor !== undefined) return tensor;
    const names = this.names.map((each) => `'${each}'`).join(', ');
    throw new SafetensorsError(
      `there is no tensor '${name}'; the file has ${names === '' ? 'no tensors' : names}`,
    );
  }
}
