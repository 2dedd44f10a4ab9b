// A dataset's folder, listed once: finds its files by pattern and its pictures by name, however they are nested.

import { realpathSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, sep } from 'node:path';
import type { ImageSource } from '../tasks/task.js';
import { CorruptFileError, MissingFileError } from './errors.js';
import { imageFile } from './image-source.js';

/** The files below one folder. */
export interface Folder {
  readonly path: string;
  /** The files whose path below the folder (with `/`) matches, sorted; full paths. */
  find(pattern: RegExp): readonly string[];
  /**
   * The picture of this name, e.g. `'COCO_val2014_000000000042.jpg'`, `'test/7/image.png'` or `'./a.png'`, in whatever
   * subfolder.
   * @throws MissingFileError when there is none.
   * @throws CorruptFileError when there are several.
   */
  image(name: string, where: string): ImageSource;
}

// Systems write names with accents in different forms of Unicode; in this one they are compared.
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).normalize('NFC');

function inFolder(path: string, relative: readonly string[], follows: boolean): Folder {
  const sorted = relative.map((file) => file.split(sep).join('/')).sort();
  const byName = new Map<string, string[]>();
  for (const file of sorted) {
    const name = nameOf(file);
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [file]);
    else same.push(file);
  }
  const full = (file: string): string => {
    const found = join(path, file);
    if (!follows) assertWithin(path, found);
    return found;
  };
  return {
    path,
    find: (pattern) => sorted.filter((file) => pattern.test(file)).map(full),
    image(given, where) {
      const name = posix.normalize(given).normalize('NFC');
      const candidates = byName.get(nameOf(name)) ?? [];
      const isSame = (file: string): boolean => file.normalize('NFC') === name;
      const found = candidates.some(isSame)
        ? candidates.filter(isSame)
        : candidates.filter((file) => file.normalize('NFC').endsWith(`/${name}`));
      if (found.length > 1)
        throw new CorruptFileError(
          where,
          `'${given}' may be ${found.join(' or ')}; name its folder, or remove the others`,
        );
      if (found[0] !== undefined) return imageFile(full(found[0]));
      throw new MissingFileError(
        path,
        `has no picture '${given}', which ${where} asks for`,
        "Put the dataset's pictures into this folder or one below it.",
      );
    },
  };
}

/** @throws CorruptFileError for a symbolic link out of the folder: whoever wrote a dataset must not choose what else is read. */
function assertWithin(folder: string, file: string): void {
  const real = realpathSync(file);
  const root = realpathSync(folder);
  // The Hub's cache is made of links from snapshots into a folder beside them.
  const cache = /^(.*)[/\\]snapshots[/\\][^/\\]+/.exec(root)?.[1];
  const roots = cache === undefined ? [root] : [root, join(cache, 'blobs')];
  if (roots.some((one) => real === one || real.startsWith(one + sep))) return;
  throw new CorruptFileError(
    file,
    `is a symbolic link to a file outside of '${folder}'; put the file itself there, or allow links (--follow-links, or followLinks)`,
  );
}

/** How a folder is opened. */
export interface FolderOptions {
  /** Whether symbolic links to files outside of the folder are followed. @default false */
  readonly followLinks?: boolean | undefined;
}

/**
 * Lists a folder with all below it. For a file, the folder it is in, where {@link Folder.find} finds this file only.
 * @throws MissingFileError when there is neither.
 */
export async function openFolder(path: string, options: FolderOptions = {}): Promise<Folder> {
  const { followLinks = false } = options;
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    (cause: unknown) => {
      throw new MissingFileError(path, 'is not there', 'Give the folder or file that holds the dataset.', {
        cause,
      });
    },
  );
  const root = isFile ? dirname(path) : path;
  const entries = await readdir(root, { recursive: true });
  const folder = inFolder(root, entries, followLinks);
  return isFile ? { ...folder, find: inFolder(root, [basename(path)], true).find } : folder;
}
