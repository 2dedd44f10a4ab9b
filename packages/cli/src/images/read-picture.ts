// Reads image files of any format that sharp decodes, from disk or the web. Resizing is the processor's work.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputFileError } from '../errors/input-file-error.js';
import type { Picture } from './picture.js';

/**
 * Reads an image, turned upright as its EXIF data says, transparency on white.
 * @param source A path, an http(s) URL, or the bytes of an image file.
 * @throws InputFileError if there is no such file, or it is not an image, or too large a one.
 */
export async function readPicture(source: string | Uint8Array, cwd: string): Promise<Picture> {
  const bytes = typeof source === 'string' ? await readBytes(source, cwd) : source;
  const { default: sharp } = await import('sharp');
  try {
    const { data, info } = await sharp(bytes)
      .rotate()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (cause) {
    const isTooLarge = cause instanceof Error && cause.message.includes('exceeds pixel limit');
    throw new InputFileError(
      typeof source === 'string' ? source : 'image of the dataset',
      isTooLarge
        ? 'it has more than 268 million pixels (16,383 × 16,383), the most that is read; make it smaller'
        : 'it is not an image, or is damaged; expected PNG, JPEG, WebP, GIF, AVIF, TIFF or SVG',
      { cause },
    );
  }
}

function readBytes(source: string, cwd: string): Promise<Uint8Array> {
  return /^https?:\/\//.test(source) ? download(source) : read(source, cwd);
}

async function read(path: string, cwd: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(cwd, path));
  } catch (cause) {
    throw new InputFileError(path, explainReadFailure(cause), { cause });
  }
}

async function download(url: string): Promise<Uint8Array> {
  const failed = (cause: unknown): never => {
    throw new InputFileError(url, 'it could not be downloaded', { cause });
  };
  const response = await fetch(url).catch(failed);
  if (!response.ok) throw new InputFileError(url, `the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer().catch(failed));
}

/** Why a file could not be read, in words. */
export function explainReadFailure(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'reading it is not permitted';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
