// A run's records: one scored answer per JSON line, appended whole, so that a killed run can be resumed.

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { explainFileError, type ImageTiling } from '@mmtok/core/internal';
import * as z from 'zod';
import { RUN_FILES } from '../data/folder.js';
import { RunError, WriteError } from '../errors.js';
import { type FolderLock, lockFolder } from './run-folder.js';

const milliseconds = z.number().nonnegative();
const grid = z.tuple([z.int().positive(), z.int().positive()]);
const detail = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The method and budget name in records of answers with all tokens. */
export const ALL = 'all';

/** Names that fields had in versions before 0.1. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  tokensBefore: 'visionTokens',
  tokensKept: 'keptTokens',
  kept: 'indices',
  facts: 'details',
};

const withPresentNames = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, own]) => [OLD_NAMES[name] ?? name, own]))
    : value;

const schema: z.ZodType<EvalRecord> = z.object({
  id: z.string(),
  method: z.string(),
  budget: z.string(),
  kind: z.string().optional(),
  group: z.string().optional(),
  image: z.string(),
  question: z.string(),
  digest: z.string().optional(),
  target: z.unknown(),
  answer: z.string(),
  score: z.preprocess(
    withPresentNames,
    z.object({
      value: z.number(),
      parsed: detail.optional(),
      details: z.record(z.string(), detail).optional(),
    }),
  ),
  visionTokens: z.int().nonnegative(),
  keptTokens: z.int().nonnegative(),
  indices: z.array(z.int().nonnegative()).optional(),
  grid: grid.optional(),
  tiling: z
    .object({ tiles: grid, grid, overview: grid, skipped: z.array(z.int().nonnegative()).optional() })
    .optional(),
  encodeMs: milliseconds,
  selectMs: milliseconds,
  agentMs: milliseconds.optional(),
  agent: z.object({ answer: z.string(), added: z.array(z.string()) }).optional(),
  prefillMs: milliseconds,
  decodeMs: milliseconds,
});

/** Parses a line of `records.jsonl`, including old field names. */
const recordSchema = z.preprocess(withPresentNames, schema);

/** A scored answer to one question, by one method at one budget. */
export interface EvalRecord {
  /** The sample's. */
  readonly id: string;
  /** The method's name; `'all'` for all tokens. */
  readonly method: string;
  /** The budget as written, e.g. `'64'`, `'10%'` or `'c0.9'`; `'all'` for all tokens. */
  readonly budget: string;
  readonly kind?: string | undefined;
  readonly group?: string | undefined;
  /** Path or id of the first image. */
  readonly image: string;
  readonly question: string;
  /** Digest of prompt and gold answer, so that a run resumes only with the same question. Absent in old versions. */
  readonly digest?: string | undefined;
  /** The gold answer, as the task defines it. */
  readonly target?: unknown;
  readonly answer: string;
  readonly score: {
    readonly value: number;
    readonly parsed?: string | number | boolean | null | undefined;
    readonly details?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  };
  /** Vision tokens of all images, and how many of them the language model got. */
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** Kept tokens, ascending, and their grid or the tiles they belong to, for questions about one image. */
  readonly indices?: readonly number[] | undefined;
  readonly grid?: readonly [rows: number, columns: number] | undefined;
  readonly tiling?: ImageTiling | undefined;
  /** 0 if the image was already encoded. */
  readonly encodeMs: number;
  /** Token selection by the method. */
  readonly selectMs: number;
  /** The agent asked beforehand; absent for methods without one. */
  readonly agentMs?: number | undefined;
  readonly agent?: { readonly answer: string; readonly added: readonly string[] } | undefined;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/** Identifies a record within a run. */
export function recordKey({ id, method, budget }: Pick<EvalRecord, 'id' | 'method' | 'budget'>): string {
  return JSON.stringify([id, method, budget]);
}

// The records file: whole lines are appended, so that a killed run can resume where it stopped.

/** Records reach the disk itself, not only the operating system, within this time. */
const SYNC_EVERY_MS = 500;

/** An open records file. */
export interface RecordsFile {
  /** The records in the file when it was opened. */
  readonly records: readonly EvalRecord[];
  /** Whether the file has a record with this key, including appended ones. */
  has(key: Pick<EvalRecord, 'id' | 'method' | 'budget'>): boolean;
  /** Appends one whole line. The first append removes an incomplete last line. */
  append(record: EvalRecord): void;
  /** Releases the folder for other processes. */
  close(): void;
}

/**
 * Opens the records of the run in a folder for this process alone. The file is created by the first record.
 * @throws RunError for lines that are not records, or if another process is running in the folder.
 */
export function openRecords(folder: string): RecordsFile {
  const lock = lockFolder(folder);
  try {
    return openLocked(join(folder, RUN_FILES.records), lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openLocked(path: string, lock: FolderLock): RecordsFile {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const end = bytes.lastIndexOf('\n') + 1;
  const records = parseRecords(bytes.subarray(0, end).toString('utf8'), path);
  const keys = new Set(records.map(recordKey));
  let descriptor: number | undefined;
  let syncedAt = performance.now();
  return {
    records,
    has: (key) => keys.has(recordKey(key)),
    append(record) {
      keys.add(recordKey(record));
      if (descriptor === undefined) {
        descriptor = openSync(path, 'a');
        if (end < bytes.length) ftruncateSync(descriptor, end);
      }
      try {
        writeLine(descriptor, Buffer.from(`${JSON.stringify(record)}\n`));
        if (performance.now() - syncedAt < SYNC_EVERY_MS) return;
        fsyncSync(descriptor);
        syncedAt = performance.now();
      } catch (cause) {
        throw new WriteError(
          `'${path}' cannot be written (${explainFileError(cause)}). The ${keys.size - 1} answers so far are kept in it: ` +
            'fix that, then run the same command again to resume',
          { cause },
        );
      }
    },
    close() {
      lock.release();
      if (descriptor === undefined) return;
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** Writes a whole line or nothing. */
function writeLine(descriptor: number, line: Buffer): void {
  const { size } = fstatSync(descriptor);
  try {
    for (let written = 0; written < line.length; ) written += writeSync(descriptor, line, written);
  } catch (error) {
    ftruncateSync(descriptor, size);
    throw error;
  }
}

/**
 * Parses records, one per line. Of duplicates, as when two processes wrote at once, the first counts.
 * @throws RunError naming the line that is not a record.
 */
export function parseRecords(text: string, path: string): EvalRecord[] {
  const records = new Map<string, EvalRecord>();
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const record = parseLine(line);
    if (record === undefined) throw new RunError(badLineMessage(at, lines, path));
    const key = recordKey(record);
    if (!records.has(key)) records.set(key, record);
  }
  return [...records.values()];
}

/** What is wrong with a line, and how to continue. */
function badLineMessage(at: number, lines: readonly string[], path: string): string {
  const isLast = lines.slice(at + 1).every((line) => line.trim() === '');
  const start = JSON.stringify((lines[at] ?? '').slice(0, 40));
  return (
    `Line ${at + 1} of '${path}'${isLast ? ', the last,' : ''} is not a record of an evaluation: it begins with ${start}. ` +
    `Delete this line (e.g. sed -i '${at + 1}d' '${path}') and run the same command again: only that question is asked again`
  );
}

function parseLine(line: string): EvalRecord | undefined {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
