// Which parquet files hold one configuration and split of a dataset: of a folder, of a list, or on the Hub.

import type { Folder } from './folder.js';
import { hubFiles } from './hub-files.js';
import { MissingFileError } from './missing-file-error.js';

/** Finds the files of one configuration and split. */
export type LocateParquet = (config: string, split: string) => Promise<readonly string[]>;

const PARQUET = /\.parquet$/;

// Of several configurations or splits in one place, the one that is asked for; where the names do not tell, all.
function narrow(paths: readonly string[], test: (path: string) => boolean): readonly string[] {
  const some = paths.filter(test);
  return some.length === 0 ? paths : some;
}

function matching(paths: readonly string[], config: string, split: string): readonly string[] {
  const ofConfig = narrow(paths, (path) => path.split(/[\\/]/).slice(0, -1).includes(config));
  return narrow(ofConfig, (path) => {
    const [name = '', folder] = path.split(/[\\/]/).reverse();
    return folder === split || name.startsWith(`${split}-`) || name.startsWith(`${split}.`);
  });
}

/** Locates among the files of a folder; `null` when it has no parquet files. */
export function inFolder(folder: Folder): LocateParquet | null {
  const paths = folder.find(PARQUET);
  return paths.length === 0 ? null : (config, split) => Promise.resolve(matching(paths, config, split));
}

/** Locates among files or URLs that are given one by one. */
export function inList(paths: readonly string[]): LocateParquet {
  const other = paths.find((path) => !/\.parquet(?:$|\?)/.test(path));
  if (other !== undefined)
    throw new MissingFileError(other, 'is no parquet file', 'Only parquet files can be given as a list.');
  return (config, split) => Promise.resolve(matching(paths, config, split));
}

/** Locates on the Hugging Face Hub. */
export function onHub(dataset: string): LocateParquet {
  return async (config, split) => matching(await hubFiles(dataset), config, split);
}
