// A safetensors file in memory or on disk. npm has no maintained reader of local files: @huggingface/hub reads headers of
// remote files only.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { MatrixInput } from '@mmtok/core';
import { SafetensorsError } from '../errors.js';
import { type ByteSource, readHeader, type TensorEntry } from '../safetensors.js';
import { quote } from '../terminal/safe-text.js';
import { decodeFloats } from './dtype.js';

/** The system reads no more than 2 GiB at once. */
const MOST_PER_READ = 2 ** 30;
/** How many names a message lists. */
const MOST_NAMES = 20;

/** The tensors of a file by name; elements are read and decoded when asked for. */
export class SafetensorsFile {
  private readonly source: ByteSource;
  private readonly entries: ReadonlyMap<string, TensorEntry>;
  private readonly descriptor: number | undefined;

  /** @throws SafetensorsError if the file is malformed or cut short. */
  constructor(file: Uint8Array | ByteSource, descriptor?: number) {
    this.source =
      file instanceof Uint8Array
        ? // Copied, since a tensor may begin anywhere in the file, but a typed array only at a multiple of its element size.
          { length: file.length, read: (begin, end) => new Uint8Array(file.subarray(begin, end)) }
        : file;
    this.descriptor = descriptor;
    this.entries = readHeader(this.source);
  }

  /**
   * Opens a file of any size; only the header and the tensors that are asked for are read. Close it when done.
   * @throws SafetensorsError if it is malformed or cut short; the system's error if it cannot be opened.
   */
  static open(path: string): SafetensorsFile {
    const descriptor = openSync(path, 'r');
    try {
      const read = (begin: number, end: number): Uint8Array => readRange(descriptor, begin, end);
      return new SafetensorsFile({ length: fstatSync(descriptor).size, read }, descriptor);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Frees the file that {@link SafetensorsFile.open} opened. */
  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
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
    return decodeFloats(name, entry.dtype, this.source.read(entry.begin, entry.end), entry.dims);
  }

  /**
   * A matrix of floats that must be there.
   * @throws SafetensorsError if it is not, or not of a type of floats.
   */
  get(name: string): MatrixInput {
    const tensor = this.find(name);
    if (tensor !== undefined) return tensor;
    const names = this.names.slice(0, MOST_NAMES).map(quote).join(', ');
    const more = this.names.length > MOST_NAMES ? ` and ${this.names.length - MOST_NAMES} others` : '';
    throw new SafetensorsError(
      `there is no tensor '${name}'; the file has ${names === '' ? 'no tensors' : names + more}`,
    );
  }
}

function readRange(descriptor: number, begin: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(
      descriptor,
      bytes,
      done,
      Math.min(bytes.length - done, MOST_PER_READ),
      begin + done,
    );
    if (read === 0) throw new SafetensorsError('the file became shorter while it was read');
    done += read;
  }
  return bytes;
}
