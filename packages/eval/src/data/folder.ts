// A dataset's folder, listed once: finds its files by pattern and its pictures by name, however they are nested.

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, sep } from 'node:path';
import type { ImageSource } from '../tasks/task.js';
import { CorruptFileError } from './corrupt-file-error.js';
import { imageFile } from './image-source.js';
import { MissingFileError } from './missing-file-error.js';

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

function inFolder(path: string, relative: readonly string[]): Folder {
  const sorted = relative.map((file) => file.split(sep).join('/')).sort();
  const byName = new Map<string, string[]>();
  for (const file of sorted) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [file]);
    else same.push(file);
  }
  return {
    path,
    find: (pattern) => sorted.filter((file) => pattern.test(file)).map((file) => join(path, file)),
    image(given, where) {
      const name = posix.normalize(given);
      const candidates = byName.get(name.slice(name.lastIndexOf('/') + 1)) ?? [];
      const found = candidates.includes(name)
        ? [name]
        : candidates.filter((file) => file.endsWith(`/${name}`));
      if (found.length > 1)
        throw new CorruptFileError(
          where,
          `'${given}' may be ${found.join(' or ')}; name its folder, or remove the others`,
        );
      if (found[0] !== undefined) return imageFile(join(path, found[0]));
      throw new MissingFileError(
        path,
        `has no picture '${given}', which ${where} asks for`,
        "Put the dataset's pictures into this folder or one below it.",
      );
    },
  };
}

/**
 * Lists a folder with all below it. For a file, the folder it is in, where {@link Folder.find} finds this file only.
 * @throws MissingFileError when there is neither.
 */
export async function openFolder(path: string): Promise<Folder> {
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
  const folder = inFolder(root, entries);
  return isFile ? { ...folder, find: inFolder(root, [basename(path)]).find } : folder;
}
