// A run's records: one scored answer per line of JSON, appended whole, so that a killed run can be resumed.

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
import * as z from 'zod';
import { RUN_FILES } from '../data/folder.js';
import { RunError, WriteError } from '../errors.js';
import { explainWriteFailure, type FolderLock, lockFolder } from './run-folder.js';

// One answer as it is kept: a line of JSON. Reading and writing files is in records-file.ts.

const milliseconds = z.number().nonnegative();
const fact = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The name of the method and of the budget in records of answers with all tokens. */
export const ALL = 'all';

/** Names that fields had in versions before 0.1. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  tokensBefore: 'visionTokens',
  tokensKept: 'keptTokens',
  kept: 'indices',
};

const withPresentNames = (line: unknown): unknown =>
  typeof line === 'object' && line !== null
    ? Object.fromEntries(Object.entries(line).map(([name, value]) => [OLD_NAMES[name] ?? name, value]))
    : line;

const schema = z.object({
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
  score: z.object({
    value: z.number(),
    parsed: fact.optional(),
    facts: z.record(z.string(), fact).optional(),
  }),
  visionTokens: z.int().nonnegative(),
  keptTokens: z.int().nonnegative(),
  indices: z.array(z.int().nonnegative()).optional(),
  grid: z.tuple([z.int(), z.int()]).optional(),
  encodeMs: milliseconds,
  selectMs: milliseconds,
  agentMs: milliseconds.optional(),
  agent: z.object({ answer: z.string(), added: z.array(z.string()) }).optional(),
  prefillMs: milliseconds,
  decodeMs: milliseconds,
});

/** A line of `records.jsonl`, also of earlier versions. */
export const recordSchema: z.ZodType<EvalRecord> = z.preprocess(
  withPresentNames,
  schema,
) as z.ZodType<EvalRecord>;

/** A scored answer to one question, by one method at one budget. */
export interface EvalRecord {
  /** The sample's. */
  readonly id: string;
  /** The method's name; `'all'` where all tokens were kept. */
  readonly method: string;
  /** The budget as written, e.g. `'64'`, `'10%'` or `'c0.9'`; `'all'` where all tokens were kept. */
  readonly budget: string;
  readonly kind?: string | undefined;
  readonly group?: string | undefined;
  /** Where the first picture lies, or its id. */
  readonly image: string;
  readonly question: string;
  /** Of what was asked and what is right, so that a run goes on with the same question only. Absent in earlier versions. */
  readonly digest?: string | undefined;
  /** The gold answer, as the task has it. */
  readonly target?: unknown;
  readonly answer: string;
  readonly score: {
    readonly value: number;
    readonly parsed?: string | number | boolean | null | undefined;
    readonly facts?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  };
  /** Vision tokens of all pictures, and how many of them the language model saw. */
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** Kept tokens, ascending, and their grid, for questions about one picture. */
  readonly indices?: readonly number[] | undefined;
  readonly grid?: readonly [rows: number, columns: number] | undefined;
  /** 0 where the picture was encoded already. */
  readonly encodeMs: number;
  /** The method. */
  readonly selectMs: number;
  /** The agent that was asked before; absent for methods without one. */
  readonly agentMs?: number | undefined;
  readonly agent?: { readonly answer: string; readonly added: readonly string[] } | undefined;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/** What tells one record of a run from all others. */
export function recordKey({ id, method, budget }: Pick<EvalRecord, 'id' | 'method' | 'budget'>): string {
  return JSON.stringify([id, method, budget]);
}

// The file of a run's records: appended line by line, whole lines only, so that a killed run can go on where it was.

/** Records reach the disk itself, not only the operating system, after at most this long. */
const SYNC_EVERY_MS = 500;

/** An open file of records. */
export interface RecordsFile {
  /** What was in the file when it was opened. */
  readonly records: readonly EvalRecord[];
  /** Whether there is a record of that key, from before or appended since. */
  has(key: Pick<EvalRecord, 'id' | 'method' | 'budget'>): boolean;
  /** Writes one whole line; the first removes what a kill left of a line before. */
  append(record: EvalRecord): void;
  /** Lets other processes into the folder again. */
  close(): void;
}

/**
 * Opens the records of the run in a folder, for this process alone. The file begins with its first record.
 * @throws RunError for lines that are no records, or if another process runs in the folder.
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
          `'${path}' cannot be written (${explainWriteFailure(cause)}). The ${keys.size - 1} answers so far are kept in it: ` +
            'mend that, then run the same command again to go on',
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

/** Writes a line, or nothing of it. */
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
 * Reads records; each line one. Of a record that is there twice, as when two processes wrote at once, the first counts.
 * @throws RunError naming the line that is no record.
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

/** What is wrong with a line, and how to go on: whatever was in it is asked again. */
function badLineMessage(at: number, lines: readonly string[], path: string): string {
  const isLast = lines.slice(at + 1).every((line) => line.trim() === '');
  const start = JSON.stringify((lines[at] ?? '').slice(0, 40));
  return (
    `Line ${at + 1} of '${path}'${isLast ? ', the last,' : ''} is not a record of an evaluation: it begins with ${start}. ` +
    `Delete this line (e.g. sed -i '${at + 1}d' '${path}') and run the same command again: what it held is asked again, all else is kept`
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
