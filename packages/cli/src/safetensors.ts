// Reads safetensors files in memory or on disk. npm has no maintained reader of local files: @huggingface/hub reads headers of
// remote files only. https://github.com/huggingface/safetensors#format

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { MatrixInput } from '@mmtok/core';
import * as z from 'zod';
import { SafetensorsError } from './errors.js';
import { quote, shorten } from './terminal/text.js';

/** The system reads at most 2 GiB at once. */
const MOST_PER_READ = 2 ** 30;
/** Maximum number of names in a message. */
const MOST_NAMES = 20;

/** The tensors of a file by name; elements are read and decoded on demand. */
export class SafetensorsFile {
  private readonly source: ByteSource;
  private readonly entries: ReadonlyMap<string, TensorEntry>;
  private readonly descriptor: number | undefined;

  /** @throws SafetensorsError if the file is malformed or truncated. */
  constructor(file: Uint8Array | ByteSource, descriptor?: number) {
    this.source =
      file instanceof Uint8Array
        ? // Copied, since a tensor may start anywhere in the file, but a typed array only at a multiple of its element size.
          { length: file.length, read: (begin, end) => new Uint8Array(file.subarray(begin, end)) }
        : file;
    this.descriptor = descriptor;
    this.entries = readHeader(this.source);
  }

  /**
   * Opens a file of any size; only the header and requested tensors are read. Close it when done.
   * @throws SafetensorsError if it is malformed or truncated; the system's error if it cannot be opened.
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

  /** Closes the file that {@link SafetensorsFile.open} opened. */
  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
  }

  /** Names of the tensors, in the order of the header. */
  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  /**
   * A matrix of floats, or undefined if the file has no tensor of that name.
   * @throws SafetensorsError if its type is not a float type.
   */
  find(name: string): MatrixInput | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    return decodeFloats(name, entry.dtype, this.source.read(entry.begin, entry.end), entry.dims);
  }

  /**
   * A matrix of floats.
   * @throws SafetensorsError if it does not exist, or its type is not a float type.
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
    if (read === 0) throw new SafetensorsError('the file shrank while it was read');
    done += read;
  }
  return bytes;
}

/** A tensor's entry in the header. */
interface TensorEntry {
  readonly dtype: string;
  readonly dims: readonly number[];
  /** The tensor's first byte in the file, and the first byte after it. */
  readonly begin: number;
  readonly end: number;
}

const LENGTH_BYTES = 8;
/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

const index = z.int('expected a whole number').nonnegative('expected 0 or more');
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(index),
  data_offsets: z.tuple([index, index]),
});
const headerSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

/** Bytes in memory or in a file. */
export interface ByteSource {
  readonly length: number;
  /** A copy of the bytes from `begin` to before `end`, both within the source. */
  read(begin: number, end: number): Uint8Array;
}

/**
 * Reads and checks the header of a file.
 * @throws SafetensorsError that says what is wrong and where.
 */
function readHeader(file: ByteSource): ReadonlyMap<string, TensorEntry> {
  const headerEnd = LENGTH_BYTES + headerLength(file);
  const { __metadata__: metadata, ...tensors } = parse(
    'the header',
    headerSchema,
    toJson(file.read(LENGTH_BYTES, headerEnd)),
  );
  parse('__metadata__', metadataSchema.nullish(), metadata);
  const entries = new Map<string, TensorEntry>();
  for (const [name, raw] of Object.entries(tensors)) {
    const { dtype, shape, data_offsets } = parse(`the entry of tensor ${quote(name)}`, entrySchema, raw);
    const [begin, end] = data_offsets;
    assertSize(name, dtype, shape, end - begin);
    entries.set(name, { dtype, dims: shape, begin: headerEnd + begin, end: headerEnd + end });
  }
  assertContiguous(entries, headerEnd, file.length);
  return entries;
}

function headerLength(file: ByteSource): number {
  if (file.length < LENGTH_BYTES) {
    throw new SafetensorsError(
      `the file has ${file.length} bytes, too few for the ${LENGTH_BYTES} that hold the header's length`,
    );
  }
  const length = new DataView(file.read(0, LENGTH_BYTES).buffer).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      `the header claims ${length} bytes, more than the allowed ${MAX_HEADER_BYTES}; it is probably another kind of file`,
    );
  }
  if (LENGTH_BYTES + Number(length) > file.length) {
    throw new SafetensorsError(
      `the header claims ${length} bytes, but the file ends after ${file.length - LENGTH_BYTES}; it is truncated or not a safetensors file`,
    );
  }
  return Number(length);
}

function toJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new SafetensorsError('the header is not JSON');
  }
}

function parse<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => [...path.map(String), message].join(': '));
  throw new SafetensorsError(`${what} has the wrong form (${shorten(problems.join('; '), 500)})`);
}

function assertSize(name: string, dtype: string, shape: readonly number[], bytes: number): void {
  if (bytes < 0) throw new SafetensorsError(`tensor ${quote(name)} ends before it begins`);
  const elementBytes = ELEMENT_BYTES[dtype];
  if (elementBytes === undefined) return;
  const expected = shape.reduce((product, length) => product * length, elementBytes);
  if (bytes === expected) return;
  throw new SafetensorsError(
    `tensor ${quote(name)} of type ${shorten(dtype, 80)} and shape [${shorten(shape.join(', '), 80)}] needs ${expected} bytes, its offsets span ${bytes}`,
  );
}

/** The format allows neither overlaps nor gaps: tensors fill the file from the header to the end. */
function assertContiguous(
  entries: ReadonlyMap<string, TensorEntry>,
  start: number,
  fileLength: number,
): void {
  let reached = start;
  let previous = 'the header';
  const inOrder = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, { begin, end }] of inOrder) {
    if (begin < reached) throw new SafetensorsError(`tensor ${quote(name)} overlaps ${previous}`);
    if (begin > reached) {
      throw new SafetensorsError(`${begin - reached} bytes before tensor ${quote(name)} belong to no tensor`);
    }
    if (end > fileLength) {
      throw new SafetensorsError(
        `tensor ${quote(name)} ends at byte ${end}, but the file at ${fileLength}; it is truncated`,
      );
    }
    reached = end;
    previous = `tensor ${quote(name)}`;
  }
  if (reached < fileLength) {
    throw new SafetensorsError(`${fileLength - reached} bytes after ${previous} belong to no tensor`);
  }
}

/** Bytes per element. Unknown, newer types are ignored unless such a tensor is requested. */
const ELEMENT_BYTES: Readonly<Record<string, number | undefined>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/**
 * Decodes the little-endian elements of a tensor (all platforms with engines are little-endian). bfloat16 is widened to
 * float32, which is exact.
 * @param bytes Starts at a multiple of 8 within its buffer.
 * @throws SafetensorsError for types that are not floats.
 */
function decodeFloats(name: string, dtype: string, bytes: Uint8Array, dims: readonly number[]): MatrixInput {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (dtype) {
    case 'F32':
      return { type: 'float32', data: new Float32Array(buffer, byteOffset, byteLength / 4), dims };
    case 'F64':
      return { type: 'float64', data: new Float64Array(buffer, byteOffset, byteLength / 8), dims };
    case 'F16':
      return { type: 'float16', data: new Uint16Array(buffer, byteOffset, byteLength / 2), dims };
    case 'BF16': {
      const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
      const bits = Uint32Array.from(halves, (half) => half << 16);
      return { type: 'float32', data: new Float32Array(bits.buffer), dims };
    }
    default:
      throw new SafetensorsError(
        `tensor ${quote(name)} has type ${shorten(dtype, 80)}; expected F32, F16, BF16 or F64`,
      );
  }
}
