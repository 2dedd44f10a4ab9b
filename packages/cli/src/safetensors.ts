// The header of a safetensors file: its schema, and every check that the format asks for. Reads no elements.
// https://github.com/huggingface/safetensors#format

import * as z from 'zod';
import { SafetensorsError } from './errors.js';
import { ELEMENT_BYTES } from './safetensors/dtype.js';
import { quote, shorten } from './terminal/safe-text.js';

/** What the header says about a tensor. */
export interface TensorEntry {
  readonly dtype: string;
  readonly dims: readonly number[];
  /** First byte within the file, and the first one after it. */
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

/** Bytes that may lie in memory or in a file. */
export interface ByteSource {
  readonly length: number;
  /** A copy of the bytes from `begin` to before `end`, both within the source. */
  read(begin: number, end: number): Uint8Array;
}

/**
 * Reads and checks the header of a file.
 * @throws SafetensorsError saying what is wrong and where.
 */
export function readHeader(file: ByteSource): ReadonlyMap<string, TensorEntry> {
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
      `the header claims ${length} bytes, but the file ends after ${file.length - LENGTH_BYTES}; it is cut short or another kind of file`,
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

/** The format allows neither overlaps nor gaps: the tensors fill the file from the header to the end. */
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
        `tensor ${quote(name)} ends at byte ${end}, but the file at ${fileLength}; it is cut short`,
      );
    }
    reached = end;
    previous = `tensor ${quote(name)}`;
  }
  if (reached < fileLength) {
    throw new SafetensorsError(`${fileLength - reached} bytes after ${previous} belong to no tensor`);
  }
}
