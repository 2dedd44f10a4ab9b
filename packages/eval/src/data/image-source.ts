// Pictures as datasets hold them (a file, bytes, base64, the Hub's struct), behind the one ImageSource the runner reads.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { ImageSource } from '../tasks/task.js';
import { MissingFileError } from './errors.js';

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
