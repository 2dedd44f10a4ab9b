// The file of a run's records: appended line by line, whole lines only, so that a killed run can go on where it was.

import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type FolderLock, lockFolder } from './lock-folder.js';
import { type EvalRecord, recordKey, recordSchema } from './record.js';
import { RunError } from './run-error.js';
import { RUN_FILES } from './run-settings.js';

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
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      for (let written = 0; written < line.length; ) written += writeSync(descriptor, line, written);
      if (performance.now() - syncedAt < SYNC_EVERY_MS) return;
      fsyncSync(descriptor);
      syncedAt = performance.now();
    },
    close() {
      if (descriptor !== undefined) {
        fsyncSync(descriptor);
        closeSync(descriptor);
      }
      lock.release();
    },
  };
}

/**
 * Reads records; each line one. Of a record that is there twice, as when two processes wrote at once, the first counts.
 * @throws RunError naming the line that is no record.
 */
export function parseRecords(text: string, path: string): EvalRecord[] {
  const records = new Map<string, EvalRecord>();
  const lines = text.split('\n').filter((line) => line !== '');
  for (const [at, line] of lines.entries()) {
    const record = parseLine(line);
    if (record === undefined) throw new RunError(`Line ${at + 1} of '${path}' is no record of an evaluation`);
    const key = recordKey(record);
    if (!records.has(key)) records.set(key, record);
  }
  return [...records.values()];
}

function parseLine(line: string): EvalRecord | undefined {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
