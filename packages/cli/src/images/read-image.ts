// Images in memory, and reading them: files of any format that sharp decodes, from disk or the web.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainFileError } from '@mmtok/core/internal';
import { InputFileError } from '../errors.js';

/** RGB pixels, row by row, three bytes each. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Reads an image, rotated by its EXIF orientation, with transparency on white.
 * @param source A path, a `file:` or http(s) URL, or the bytes of an image file.
 * @throws InputFileError if the file does not exist, is not an image, or is too large.
 */
export async function readImage(source: string | Uint8Array, cwd: string): Promise<RgbImage> {
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
    const name = typeof source === 'string' ? source : 'image of the dataset';
    throw new InputFileError(name, explainDecodeFailure(cause, bytes), { cause });
  }
}

/** Common formats that sharp does not decode, by signature and offset. */
const OTHER_FORMATS: readonly (readonly [name: string, place: number, signature: string])[] = [
  ...['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'].map(
    (brand) => ['HEIC', 4, `ftyp${brand}`] as const,
  ),
  ['BMP', 0, 'BM'],
  ['JPEG XL', 0, '\xff\x0a'],
  ['JPEG XL', 4, 'JXL '],
  ['JPEG 2000', 4, 'jP  '],
  ['PDF', 0, '%PDF-'],
  ['Photoshop', 0, '8BPS'],
  ['ICO', 0, '\0\0\x01\0'],
];

function explainDecodeFailure(cause: unknown, bytes: Uint8Array): string {
  if (cause instanceof Error && cause.message.includes('exceeds pixel limit'))
    return 'it has more than 268 million pixels (16,383 × 16,383), which is the limit; make it smaller';
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  const format = OTHER_FORMATS.find(([, place, signature]) => start.startsWith(signature, place))?.[0];
  const expected = 'PNG, JPEG, WebP, GIF, AVIF, TIFF or SVG';
  if (format !== undefined)
    return `it is a ${format} file, which is not supported; convert it to ${expected}, e.g. magick input output.png`;
  if (start.startsWith('version https://'))
    return 'it is a pointer of Git LFS, not the image itself; run git lfs pull';
  if (/^\s*<(?:!doctype|html)/i.test(start)) return `it is an HTML page, not an image; expected ${expected}`;
  if (bytes.length === 0) return `it is empty; expected ${expected}`;
  return `it is not an image, or it is damaged; expected ${expected}`;
}

/** The absolute path of a relative path or a `file:` URL. */
export function pathOf(source: string, cwd: string): string {
  if (!/^file:/i.test(source)) return resolve(cwd, source);
  try {
    return fileURLToPath(source);
  } catch (cause) {
    throw new InputFileError(source, 'it is not the URL of a local file; write file:///path, or the path', {
      cause,
    });
  }
}

function readBytes(source: string, cwd: string): Promise<Uint8Array> {
  return /^https?:\/\//i.test(source) ? download(source) : read(source, cwd);
}

async function read(path: string, cwd: string): Promise<Uint8Array> {
  if (/^data:/i.test(path))
    throw new InputFileError(`${path.slice(0, 40)}…`, 'data URLs are not read; save the image as a file');
  try {
    return await readFile(pathOf(path, cwd));
  } catch (cause) {
    throw new InputFileError(path, explainFileError(cause), { cause });
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
