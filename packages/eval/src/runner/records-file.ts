// The file of a run's records: appended line by line, whole lines only, so that a killed run can go on where it was.

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
import { type FolderLock, lockFolder } from './lock-folder.js';
import { type EvalRecord, recordKey, recordSchema } from './record.js';
import { RunError, WriteError } from './run-error.js';
import { RUN_FILES } from './run-settings.js';
import { explainWriteFailure } from './write-file.js';

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
