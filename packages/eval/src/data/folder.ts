// A dataset's folder and its images: finds files by pattern and images by name, however deep they are nested.

import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve, sep } from 'node:path';
import * as z from 'zod';
import { CorruptFileError, MissingFileError } from '../errors.js';
import { groupBy } from '../stats/statistics.js';

/** One image of a sample. Its bytes are read on demand. */
export interface ImageSource {
  /** Equal images have equal ids within a task, so that each is encoded once for all its questions. */
  readonly id: string;
  /** The path of the image, if it is a file. */
  readonly path?: string;
  /**
   * The encoded image (JPEG, PNG, …) as stored in the dataset.
   * @throws MissingFileError if the image's file does not exist.
   */
  read(): Promise<Uint8Array>;
}

// Datasets hold images as files, bytes, base64 or the Hub's struct; all become an ImageSource.

/** An image file, opened when it is read. */
export function imageFile(path: string): ImageSource {
  const absolute = resolve(path);
  return {
    id: absolute,
    path: absolute,
    async read() {
      try {
        return await readFile(absolute);
      } catch (cause) {
        throw new MissingFileError(
          absolute,
          'cannot read this image',
          'Check the path and its permissions.',
          { cause },
        );
      }
    },
  };
}

/** An image in memory. Its id is a hash of its bytes. */
export function imageBytes(bytes: Uint8Array): ImageSource {
  const id = `sha1-${createHash('sha1').update(bytes).digest('hex')}`;
  return { id, read: () => Promise.resolve(bytes) };
}

const DATA_URL = /^data:image\/[\w.+-]+;base64,/;
const BASE64 = /^[\w+/\s-]+=*$/;

/** An image in base64, bare or as a data URL; `null` for other text. */
export function imageBase64(text: string): ImageSource | null {
  const body = text.replace(DATA_URL, '').trimEnd();
  return BASE64.test(body) ? imageBytes(Buffer.from(body, 'base64')) : null;
}

function isImageSource(value: unknown): value is ImageSource {
  return typeof value === 'object' && value !== null && 'read' in value && typeof value.read === 'function';
}

function toImage(cell: unknown): ImageSource | null {
  if (isImageSource(cell)) return cell;
  if (cell instanceof Uint8Array) return imageBytes(cell);
  if (typeof cell === 'string') return imageBase64(cell);
  if (typeof cell === 'object' && cell !== null && 'bytes' in cell) return toImage(cell.bytes);
  return null;
}

/** A cell that holds an image: bytes, base64, `{ bytes, path }` as on the Hub, or an {@link ImageSource}. */
export const imageCell: z.ZodType<ImageSource> = z.unknown().transform((cell, context) => {
  const image = toImage(cell);
  if (image !== null) return image;
  context.addIssue({ code: 'custom', message: 'expected an image (bytes, base64 or { bytes })' });
  return z.NEVER;
});

/** Names of a run's files in its folder. If a run is written next to a dataset's files, these are not data. */
export const RUN_FILES: { readonly settings: 'run.json'; readonly records: 'records.jsonl' } = {
  settings: 'run.json',
  records: 'records.jsonl',
};

/** The files in a folder and its subfolders. */
export interface Folder {
  readonly path: string;
  /** Full paths, sorted, of the files whose path relative to the folder (with `/`) matches. */
  find(pattern: RegExp): readonly string[];
  /**
   * The image with this name in any subfolder, e.g. `'COCO_val2014_000000000042.jpg'`, `'test/7/image.png'` or `'./a.png'`.
   * @throws MissingFileError if there is none.
   * @throws CorruptFileError if there are several.
   */
  image(name: string, where: string): ImageSource;
}

// File systems differ in the Unicode form of accented names, so names are compared in one form.
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).normalize('NFC');

function inFolder(path: string, relative: readonly string[], follows: boolean): Folder {
  const sorted = relative.map((file) => file.split(sep).join('/')).sort();
  const byName = groupBy(sorted, nameOf);
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
          `'${given}' is ambiguous: ${found.join(' or ')}; include its folder, or remove the others`,
        );
      if (found[0] !== undefined) return imageFile(full(found[0]));
      throw new MissingFileError(
        path,
        `has no image '${given}', which ${where} refers to`,
        "Put the dataset's images into this folder or a subfolder.",
      );
    },
  };
}

/** @throws CorruptFileError for a symbolic link out of the folder: a dataset's author must not decide what else is read. */
function assertWithin(folder: string, file: string): void {
  const real = realpathSync(file);
  const root = realpathSync(folder);
  // In the Hub's cache, snapshots are links into a sibling folder.
  const cache = /^(.*)[/\\]snapshots[/\\][^/\\]+/.exec(root)?.[1];
  const roots = cache === undefined ? [root] : [root, join(cache, 'blobs')];
  if (roots.some((one) => real === one || real.startsWith(one + sep))) return;
  throw new CorruptFileError(
    file,
    `is a symbolic link to a file outside '${folder}'; put the file there, or allow links (--follow-links, or followLinks)`,
  );
}

/** How a folder is opened. */
export interface FolderOptions {
  /** Whether to follow symbolic links to files outside the folder. @default false */
  readonly followLinks?: boolean | undefined;
}

/**
 * Lists a folder and its subfolders. For a file, opens its folder with a {@link Folder.find} that finds only this file.
 * @throws MissingFileError if the path does not exist.
 */
export async function openFolder(path: string, options: FolderOptions = {}): Promise<Folder> {
  const { followLinks = false } = options;
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    (cause: unknown) => {
      throw new MissingFileError(path, 'does not exist', 'Give the folder or file that holds the dataset.', {
        cause,
      });
    },
  );
  const root = isFile ? dirname(path) : path;
  const entries = await readdir(root, { recursive: true });
  const folder = inFolder(root, entries, followLinks);
  return isFile ? { ...folder, find: inFolder(root, [basename(path)], true).find } : folder;
}
