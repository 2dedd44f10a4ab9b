// Writes small datasets for the tests: folders of files, and parquet files with the column types of the Hub's datasets.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { temporary } from '../../../vitest.temporary.js';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A PNG of one pixel; another `number` appends other bytes, so that the images differ. */
export function imageBytes(number = 0): Uint8Array {
  return Uint8Array.from([...Buffer.from(PIXEL, 'base64'), number]);
}

/** {@link imageBytes} in base64. */
export function imageText(number = 0): string {
  return Buffer.from(imageBytes(number)).toString('base64');
}

/** An image as the Hub's datasets hold it. */
export function hubImage(number = 0): { bytes: Uint8Array; path: string } {
  return { bytes: imageBytes(number), path: `${number}.png` };
}

/** Makes a temporary folder with these files, given by relative path, and returns its path. */
export function writeFolder(files: Readonly<Record<string, string | Uint8Array | object>>): string {
  const folder = temporary();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const isRaw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path, isRaw ? content : JSON.stringify(content));
  }
  return folder;
}

/** One JSON object per line. */
export function jsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** A TSV whose first line names the columns of the first row. */
export function tsv(rows: readonly Readonly<Record<string, string>>[]): string {
  const columns = Object.keys(rows[0]!);
  const cell = (text: string): string => (/["\n\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns, ...rows.map((row) => columns.map((column) => cell(row[column]!)))]
    .map((cells) => `${cells.join('\t')}\n`)
    .join('');
}

/** The schema of a column of this name. */
export type Column = (name: string) => SchemaElement[];

const leaf =
  (type: 'BYTE_ARRAY' | 'INT32' | 'INT64', extra: Partial<SchemaElement> = {}): Column =>
  (name) => [{ name, type, repetition_type: 'OPTIONAL', ...extra }];

/** Column types. */
export const text: Column = leaf('BYTE_ARRAY', { converted_type: 'UTF8' });
export const int32: Column = leaf('INT32');
export const int64: Column = leaf('INT64');
export const bytes: Column = leaf('BYTE_ARRAY');

export const struct =
  (fields: Readonly<Record<string, Column>>): Column =>
  (name) => [
    { name, repetition_type: 'OPTIONAL', num_children: Object.keys(fields).length },
    ...Object.entries(fields).flatMap(([field, column]) => column(field)),
  ];

export const list =
  (element: Column): Column =>
  (name) => [
    { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...element('element'),
  ];

export const image: Column = struct({ bytes, path: text });
export const texts: Column = list(text);

/** How {@link parquet} writes. */
export type ParquetOptions = Pick<
  Parameters<typeof parquetWriteBuffer>[0],
  'rowGroupSize' | 'codec' | 'compressors'
>;

/** The bytes of a parquet file. */
export function parquet(
  columns: Readonly<Record<string, Column>>,
  rows: readonly Readonly<Record<string, unknown>>[],
  options: ParquetOptions = {},
): Uint8Array {
  const names = Object.keys(columns);
  const file = parquetWriteBuffer({
    columnData: names.map((name) => ({ name, data: rows.map((row) => row[name] ?? null) })),
    schema: [{ name: 'root', num_children: names.length }, ...names.flatMap((name) => columns[name]!(name))],
    ...options,
  });
  return new Uint8Array(file);
}

/** Everything an async iterable yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
