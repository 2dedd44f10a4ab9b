// From "where the data is" to a table: the Hub, a list of parquet files, a folder of them, or the original files.

import { type Folder, type FolderOptions, openFolder } from '../data/folder.js';
import { inFolder, inList, type LocateParquet, onHub } from '../data/locate-parquet.js';
import { parquetTable } from '../data/parquet-table.js';
import type { Table } from '../data/table.js';
import { UnknownFormatError } from './errors.js';
import type { LoadOptions, TaskSource } from './task.js';

/** How a task turns files into rows with the columns of its parquet files. */
export interface TableReaders {
  readonly name: string;
  readonly source: TaskSource;
  /** Only for datasets that are more than one table. */
  parquet?(locate: LocateParquet): Promise<Table>;
  /** Reads the original files; `null` when the folder has none. */
  original?(folder: Folder): Promise<Table | null>;
}

async function fromParquet(task: TableReaders, locate: LocateParquet): Promise<Table> {
  if (task.parquet !== undefined) return task.parquet(locate);
  return parquetTable(await locate(task.source.config ?? 'default', task.source.split ?? 'test'));
}

const isOneParquet = (from: string): boolean => /^https?:\/\//.test(from) || from.endsWith('.parquet');

/**
 * Opens the rows of a task.
 * @throws UnknownFormatError when the files are of no known form, or when none are given and none are on the Hub.
 */
export async function openTable(
  task: TableReaders,
  from: LoadOptions['from'],
  options: FolderOptions = {},
): Promise<Table> {
  if (from === undefined) {
    if (task.source.dataset === undefined)
      throw new UnknownFormatError(task.name, 'nothing', `give the folder with ${task.source.files}`);
    return fromParquet(task, onHub(task.source.dataset));
  }
  if (typeof from !== 'string') return fromParquet(task, inList(from));
  if (isOneParquet(from)) return fromParquet(task, inList([from]));

  const folder = await openFolder(from, options);
  const locate = inFolder(folder);
  const table = locate === null ? await task.original?.(folder) : await fromParquet(task, locate);
  if (table) return table;
  const parquet = task.source.dataset === undefined ? '' : ` or the parquet files of ${task.source.dataset}`;
  throw new UnknownFormatError(task.name, `'${from}'`, `expected ${task.source.files}${parquet} in it`);
}
