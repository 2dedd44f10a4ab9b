// A table over parquet files, local or at a URL: footers first, then one row group at a time, only the columns and the row
// groups that are asked for. Dictionaries, lists and structs come out as hyparquet assembles them.

import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import {
  asyncBufferFromFile,
  asyncBufferFromUrl,
  cachedAsyncBuffer,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { CorruptFileError, MissingFileError } from './errors.js';
import type { ReadRowsOptions, Row, Table } from './table.js';

interface ParquetFile {
  readonly path: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  /** Index of its first row in the table. */
  readonly start: number;
  readonly count: number;
}

const isUrl = (path: string): boolean => /^https?:\/\//.test(path);
const nameOf = (path: string): string => (isUrl(path) ? path : basename(path));

async function openBuffer(path: string): Promise<AsyncBuffer> {
  try {
    if (isUrl(path)) return cachedAsyncBuffer(await asyncBufferFromUrl({ url: path }));
    if (!(await stat(path)).isFile()) throw new Error('it is a folder');
    return await asyncBufferFromFile(path);
  } catch (cause) {
    throw new MissingFileError(
      path,
      `cannot open this parquet file (${message(cause)})`,
      'Check the path, or download the dataset again.',
      { cause },
    );
  }
}

const message = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

async function openFile(path: string): Promise<Omit<ParquetFile, 'start'>> {
  const buffer = await openBuffer(path);
  try {
    const metadata = await parquetMetadataAsync(buffer);
    return { path, buffer, metadata, count: Number(metadata.num_rows) };
  } catch (cause) {
    throw new CorruptFileError(path, `is no complete parquet file (${message(cause)}); download it again`, {
      cause,
    });
  }
}

// hyparquet reads plain and snappy pages itself; the other codecs are loaded when a file has them.
async function compressorsFor(metadata: FileMetaData): Promise<Compressors | undefined> {
  const codecs = metadata.row_groups.flatMap((group) =>
    group.columns.map((column) => column.meta_data?.codec),
  );
  if (codecs.every((codec) => codec === undefined || codec === 'UNCOMPRESSED' || codec === 'SNAPPY'))
    return undefined;
  return (await import('hyparquet-compressors')).compressors;
}

async function* readFile(
  file: ParquetFile,
  columns: readonly string[] | undefined,
  wanted: (index: number) => boolean,
): AsyncGenerator<Row> {
  const compressors = await compressorsFor(file.metadata);
  const present = new Set(
    file.metadata.row_groups[0]?.columns.map((column) => column.meta_data?.path_in_schema[0]),
  );
  let rowStart = 0;
  for (const group of file.metadata.row_groups) {
    const count = Number(group.num_rows);
    const rows = Array.from({ length: count }, (_, row) => rowStart + row).filter((row) =>
      wanted(file.start + row),
    );
    const first = rows[0];
    rowStart += count;
    if (first === undefined) continue;
    let values: Record<string, unknown>[];
    try {
      values = await parquetReadObjects({
        file: file.buffer,
        metadata: file.metadata,
        rowStart: first,
        rowEnd: rows.at(-1)! + 1,
        // Texts are marked as such in the schema; what is not, pictures, stays bytes.
        utf8: false,
        ...(columns && { columns: columns.filter((column) => present.has(column)) }),
        ...(compressors && { compressors }),
      });
    } catch (cause) {
      throw new CorruptFileError(
        `${file.path}, rows ${first + 1} to ${rows.at(-1)! + 1}`,
        `cannot be read (${message(cause)}); download the file again, or write it anew with snappy compression`,
        { cause },
      );
    }
    for (const row of rows) {
      const where = `${nameOf(file.path)}, row ${row + 1}`;
      yield { index: file.start + row, where, values: values[row - first]! };
    }
  }
}

/**
 * Opens parquet files as one table, in the order given.
 * @param paths local files or URLs.
 * @throws MissingFileError for a file that cannot be opened.
 * @throws CorruptFileError for a file that is not parquet, or is cut off or damaged.
 */
export async function parquetTable(paths: readonly string[]): Promise<Table> {
  const files: ParquetFile[] = [];
  let count = 0;
  for (const file of await Promise.all(paths.map(openFile))) {
    files.push({ ...file, start: count });
    count += file.count;
  }
  return {
    count,
    async *rows({ columns, indices }: ReadRowsOptions = {}) {
      const chosen = indices && new Set(indices);
      for (const file of files) yield* readFile(file, columns, (index) => chosen?.has(index) ?? true);
    },
  };
}
