// Parquet files: finds the files of a configuration and split (in a folder, a list, or on the Hugging Face Hub) and reads them as
// one table, one row group at a time.

import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '@mmtok/core/internal';
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import * as z from 'zod';
import { CorruptFileError, MissingFileError } from '../errors.js';
import type { Folder } from './folder.js';
import type { ReadRowsOptions, Row, Table } from './table.js';

// Reads footers first, then only the requested row groups and columns.

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

// Loaded when the first file is opened: importing a task's name must not load a reader.
const hyparquet = (): Promise<typeof import('hyparquet')> => import('hyparquet');

async function openBuffer(path: string): Promise<AsyncBuffer> {
  const { asyncBufferFromFile, asyncBufferFromUrl, cachedAsyncBuffer } = await hyparquet();
  try {
    if (isUrl(path)) return cachedAsyncBuffer(await asyncBufferFromUrl({ url: path }));
    if (!(await stat(path)).isFile()) throw new Error('it is a folder');
    return await asyncBufferFromFile(path);
  } catch (cause) {
    throw new MissingFileError(
      path,
      `cannot open this parquet file (${messageOf(cause)})`,
      'Check the path, or download the dataset again.',
      { cause },
    );
  }
}

async function openFile(path: string): Promise<Omit<ParquetFile, 'start'>> {
  const buffer = await openBuffer(path);
  const { parquetMetadataAsync } = await hyparquet();
  try {
    const metadata = await parquetMetadataAsync(buffer);
    return { path, buffer, metadata, count: Number(metadata.num_rows) };
  } catch (cause) {
    throw new CorruptFileError(
      path,
      `is not a complete parquet file (${messageOf(cause)}); download it again`,
      {
        cause,
      },
    );
  }
}

// hyparquet reads uncompressed and snappy pages; other codecs are loaded on demand.
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
  const { parquetReadObjects } = await hyparquet();
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
        // The schema marks strings. Unmarked binary columns are images and stay bytes.
        utf8: false,
        ...(columns && { columns: columns.filter((column) => present.has(column)) }),
        ...(compressors && { compressors }),
      });
    } catch (cause) {
      throw new CorruptFileError(
        `${file.path}, rows ${first + 1} to ${rows.at(-1)! + 1}`,
        `cannot be read (${messageOf(cause)}); download the file again, or rewrite it with snappy compression`,
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
 * Opens parquet files as one table, in the given order.
 * @param paths local files or URLs.
 * @throws MissingFileError for a file that cannot be opened.
 * @throws CorruptFileError for a file that is not parquet, truncated or damaged.
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

// A dataset's own parquet files on the Hugging Face Hub. The Hub's automatic conversion is not used: it stops after the first
// gigabytes of a large dataset.
// Source: https://huggingface.co/docs/hub/api

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const HINT = 'Check the connection, or download the dataset and give its folder.';
const pageSchema = z.array(z.object({ type: z.string(), path: z.string() }));

async function getPage(url: string): Promise<{ files: string[]; next: string | undefined }> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new MissingFileError(url, problem, HINT, { cause });
  };
  const response = await fetch(url).catch((cause: unknown) => fail('cannot be reached', cause));
  if (!response.ok) return fail(`the Hub answered ${response.status} ${response.statusText}`);
  const page = pageSchema.safeParse(await response.json().catch(() => null));
  if (!page.success) return fail('the Hub did not return a list of files', page.error);
  return {
    files: page.data
      .filter(({ type, path }) => type === 'file' && path.endsWith('.parquet'))
      .map(({ path }) => path),
    next: /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1],
  };
}

/**
 * Lists the URLs of all parquet files of a dataset. Set `HF_ENDPOINT` to use another Hub, e.g. a mirror.
 * @throws MissingFileError if the Hub cannot be reached, or has no such dataset, or the dataset has no parquet files.
 */
async function hubFiles(dataset: string): Promise<string[]> {
  const endpoint = (process.env.HF_ENDPOINT ?? DEFAULT_ENDPOINT).replace(/\/$/, '');
  const files: string[] = [];
  let url: string | undefined = `${endpoint}/api/datasets/${dataset}/tree/main?recursive=true`;
  while (url !== undefined) {
    const page = await getPage(url);
    files.push(...page.files);
    url = page.next;
  }
  if (files.length === 0)
    throw new MissingFileError(`${endpoint}/datasets/${dataset}`, 'has no parquet files', HINT);
  return files.sort().map((path) => `${endpoint}/datasets/${dataset}/resolve/main/${encodeURI(path)}`);
}

// Which parquet files hold a configuration and split: in a folder, in a list, or on the Hub.

/** Finds the files of a configuration and split. */
export type LocateParquet = (config: string, split: string) => Promise<readonly string[]>;

const PARQUET = /\.parquet$/;

// Narrows to the requested configuration or split where paths name it; otherwise keeps all paths.
function narrow(paths: readonly string[], test: (path: string) => boolean): readonly string[] {
  const some = paths.filter(test);
  return some.length === 0 ? paths : some;
}

// Files are named `config/split-00000-of-00001.parquet`, or `config/split/0000.parquet` after the Hub's conversion. Only the
// nearest folders count: those above may have the same names.
function matching(paths: readonly string[], config: string, split: string): readonly string[] {
  const placeOf = (path: string): { name: string; parent: string; grandparent: string } => {
    const [name = '', parent = '', grandparent = ''] = path.split(/[\\/]/).reverse();
    return { name, parent, grandparent };
  };
  const ofConfig = narrow(paths, (path) => {
    const { parent, grandparent } = placeOf(path);
    return (parent === split ? grandparent : parent) === config;
  });
  return narrow(ofConfig, (path) => {
    const { name, parent } = placeOf(path);
    return parent === split || name.startsWith(`${split}-`) || name.startsWith(`${split}.`);
  });
}

/** Looks in a folder; `null` if it has no parquet files. */
export function inFolder(folder: Folder): LocateParquet | null {
  const paths = folder.find(PARQUET);
  return paths.length === 0 ? null : (config, split) => Promise.resolve(matching(paths, config, split));
}

/** Looks in a list of files or URLs. */
export function inList(paths: readonly string[]): LocateParquet {
  const other = paths.find((path) => !/\.parquet(?:$|\?)/.test(path));
  if (other !== undefined)
    throw new MissingFileError(other, 'is not a parquet file', 'A list may contain only parquet files.');
  return (config, split) => Promise.resolve(matching(paths, config, split));
}

/** Looks on the Hugging Face Hub. */
export function onHub(dataset: string): LocateParquet {
  return async (config, split) => matching(await hubFiles(dataset), config, split);
}
