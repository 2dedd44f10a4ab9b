// The file of a run's records: appended line by line, whole lines only, so that a killed run can go on where it was.

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type EvalRecord, recordKey, recordSchema } from './record.js';
import { RunError } from './run-error.js';

/** Records reach the disk itself, not only the operating system, after at most this long. */
const SYNC_EVERY_MS = 500;

/** An open file of records. */
export interface RecordsFile {
  /** What was in the file when it was opened. */
  readonly records: readonly EvalRecord[];
  /** Whether there is a record of that key, from before or appended since. */
  has(key: Pick<EvalRecord, 'id' | 'method' | 'budget'>): boolean;
  /** Writes one whole line. */
  append(record: EvalRecord): void;
  close(): void;
}

/**
 * Opens a file of records, or begins it. A last line that was cut short by a kill is removed.
 * @throws RunError for lines that are no records, or a record that is there twice.
 */
export function openRecords(path: string): RecordsFile {
  const descriptor = openSync(path, 'a+');
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf('\n') + 1;
  if (end < bytes.length) ftruncateSync(descriptor, end);
  const records = parseRecords(bytes.subarray(0, end).toString('utf8'), path);
  const keys = new Set(records.map(recordKey));
  let syncedAt = performance.now();
  return {
    records,
    has: (key) => keys.has(recordKey(key)),
    append(record) {
      keys.add(recordKey(record));
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      for (let written = 0; written < line.length; ) written += writeSync(descriptor, line, written);
      if (performance.now() - syncedAt < SYNC_EVERY_MS) return;
      fsyncSync(descriptor);
      syncedAt = performance.now();
    },
    close() {
      fsyncSync(descriptor);
      closeSync(descriptor);
    },
  };
}

/**
 * Reads records; each line one.
 * @throws RunError naming the line that is no record, or is there twice.
 */
export function parseRecords(text: string, path: string): EvalRecord[] {
  const seen = new Set<string>();
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, at) => {
    const record = parseLine(line);
    if (record === undefined) throw new RunError(`Line ${at + 1} of '${path}' is no record of an evaluation`);
    const key = recordKey(record);
    if (seen.has(key)) throw new RunError(`Line ${at + 1} of '${path}' repeats the record ${key}`);
    seen.add(key);
    return record;
  });
}

function parseLine(line: string): EvalRecord | undefined {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
