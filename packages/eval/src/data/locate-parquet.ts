// Which parquet files hold one configuration and split of a dataset: of a folder, of a list, or on the Hub.

import { MissingFileError } from './errors.js';
import type { Folder } from './folder.js';
import { hubFiles } from './hub-files.js';

/** Finds the files of one configuration and split. */
export type LocateParquet = (config: string, split: string) => Promise<readonly string[]>;

const PARQUET = /\.parquet$/;

// Of several configurations or splits in one place, the one that is asked for; where the names do not tell, all.
function narrow(paths: readonly string[], test: (path: string) => boolean): readonly string[] {
  const some = paths.filter(test);
  return some.length === 0 ? paths : some;
}

// Files lie in `config/split-00000-of-00001.parquet`, or after the Hub's conversion in `config/split/0000.parquet`. Only the
// nearest folders are looked at: those above may have the same names.
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
