// A dataset's folder and its images: finds files by pattern and images by name, however deep they are nested.

import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve, sep } from 'node:path';
import * as z from 'zod';
import { CorruptFileError, MissingFileError } from '../errors.js';

/** One picture of a sample. Its bytes are read only when asked for. */
export interface ImageSource {
  /** The same picture has the same id within a task, so that it can be encoded once for all its questions. */
  readonly id: string;
  /** Where the picture lies, when it is a file of its own. */
  readonly path?: string;
  /**
   * The encoded picture (JPEG, PNG, …) as it is in the dataset.
   * @throws MissingFileError when the picture's file is not there.
   */
  read(): Promise<Uint8Array>;
}

// Pictures as datasets hold them (a file, bytes, base64, the Hub's struct), behind the one ImageSource the runner reads.

/** A picture that is a file. It is opened only when read. */
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
          'cannot read this picture',
          'Check the path and its permissions.',
          { cause },
        );
      }
    },
  };
}

/** A picture in memory. Its id is a hash of its bytes: equal pictures have equal ids. */
export function imageBytes(bytes: Uint8Array): ImageSource {
  const id = `sha1-${createHash('sha1').update(bytes).digest('hex')}`;
  return { id, read: () => Promise.resolve(bytes) };
}

const DATA_URL = /^data:image\/[\w.+-]+;base64,/;
const BASE64 = /^[\w+/\s-]+=*$/;

/** A picture in base64, bare or as a data URL; `null` for a text that is neither. */
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

/** A cell that holds a picture: bytes, base64, `{ bytes, path }` as on the Hub, or an {@link ImageSource}. */
export const imageCell: z.ZodType<ImageSource> = z.unknown().transform((cell, context) => {
  const image = toImage(cell);
  if (image !== null) return image;
  context.addIssue({ code: 'custom', message: 'expected a picture (bytes, base64 or { bytes })' });
  return z.NEVER;
});

// A dataset's folder, listed once: finds its files by pattern and its pictures by name, however they are nested.

/** Names of a run's files in its folder. A run may be written beside a dataset's own files, where they are not data. */
export const RUN_FILES: { readonly settings: 'run.json'; readonly records: 'records.jsonl' } = {
  settings: 'run.json',
  records: 'records.jsonl',
};

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
