// Reads images from any supported source and type.

import type { RawImage } from '@huggingface/transformers';
import { messageOf } from '@mmtok/core/internal';
import { platform } from '#files';
import { InputError } from '../errors.js';
import type { LibraryEnv } from '../files/model-files.js';
import type { Library } from '../internal/types.js';

/** Pixels in the format of the browser's `ImageData`: four bytes per pixel, row by row. */
export interface PixelData {
  readonly data: Uint8ClampedArray | Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A browser canvas, in the page (`HTMLCanvasElement`) or off screen (`OffscreenCanvas`). */
export interface CanvasLike {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): unknown;
}

/**
 * An image: a path (in Node), a URL as a string or object (`http:`, `https:`, `data:`, `blob:`, in Node also `file:`), a `Blob`
 * or `File`, a transformers.js `RawImage`, an `ImageData`, or a canvas.
 */
export type ImageInput = string | URL | Blob | RawImage | PixelData | CanvasLike;

/** Whether a value looks like an image. Whether it can be read is checked later, when it is read. */
export function isImageInput(value: unknown): value is ImageInput {
  if (typeof value === 'string') return value !== '';
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof URL || value instanceof Blob || isPixels(value) || isCanvas(value);
}

/** The expected image types, for error messages. */
export const IMAGE_INPUT = 'expected a path, URL, Blob, RawImage, ImageData, or canvas';

function isPixels(value: object): value is PixelData & { readonly channels?: 1 | 2 | 3 | 4 } {
  const { data, width, height } = value as Partial<PixelData>;
  return ArrayBuffer.isView(data) && typeof width === 'number' && typeof height === 'number';
}

function isCanvas(value: object): value is CanvasLike {
  return typeof (value as Partial<CanvasLike>).getContext === 'function';
}

/**
 * Reads an image.
 * @param name how error messages refer to the image, e.g. `'image 2'`.
 * @throws InputError if the image cannot be read or decoded; the message gives the reason.
 */
export async function readImage(library: Library, input: ImageInput, name: string): Promise<RawImage> {
  const { RawImage } = library;
  if (input instanceof RawImage) return input;
  if (input instanceof Blob) return await decoded(library, input, name);
  if (typeof input === 'string' || input instanceof URL) return await readFrom(library, input, name);
  const {
    data,
    width,
    height,
    channels = 4,
  } = isCanvas(input) ? pixelsOf(input, name) : (input as PixelImage);
  if (data.length !== width * height * channels) {
    throw new InputError(
      `${name} has ${data.length} bytes, expected ${width} × ${height} × ${channels} = ${width * height * channels}`,
    );
  }
  return new RawImage(data, width, height, channels);
}

type PixelImage = PixelData & { readonly channels?: 1 | 2 | 3 | 4 };

function pixelsOf(canvas: CanvasLike, name: string): PixelImage {
  const context = canvas.getContext('2d') as {
    getImageData(x: number, y: number, width: number, height: number): PixelData;
  } | null;
  if (context === null) throw new InputError(`${name} is a canvas without a 2D context`);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function readFrom(library: Library, location: string | URL, name: string): Promise<RawImage> {
  const shown = `${name}, ${shortened(String(location))},`;
  const protocol = /^([a-z][a-z\d+.-]+):/i.exec(String(location))?.[1]?.toLowerCase();
  let blob: Blob;
  try {
    // The library adds the headers that private repositories need.
    if (protocol === 'http' || protocol === 'https') return await library.RawImage.fromURL(location);
    if (protocol === 'data' || protocol === 'blob') blob = await (await fetch(location)).blob();
    else {
      const env = library.env as unknown as LibraryEnv;
      const { bytes } = await platform.readLocal(location, env);
      blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
    }
  } catch (cause) {
    throw new InputError(`${shown} cannot be read (${messageOf(cause)})`, { cause });
  }
  return await decoded(library, blob, shown);
}

async function decoded({ RawImage }: Library, blob: Blob, name: string): Promise<RawImage> {
  if (blob.size === 0) throw new InputError(`${name} is empty`);
  try {
    return await RawImage.fromBlob(blob);
  } catch (cause) {
    const format = await formatOf(blob);
    const problem =
      format === undefined
        ? `cannot be decoded as an image (${messageOf(cause)}); expected PNG, JPEG, or WebP`
        : `is ${format}`;
    throw new InputError(`${name} ${problem}`, { cause });
  }
}

const CONVERT = 'which cannot be decoded here; convert it to PNG or JPEG';

/** Identifies data that decoders often do not support by its first bytes. */
async function formatOf(blob: Blob): Promise<string | undefined> {
  const bytes = new Uint8Array(await blob.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  if (text.startsWith('BM')) return `a BMP image, ${CONVERT}`;
  if (/^.{4}ftyp(hei|hev|mif|msf)/s.test(text)) return `a HEIC (HEIF) image, ${CONVERT}`;
  if (/^.{4}ftypavi/s.test(text)) return `an AVIF image, ${CONVERT}`;
  if (/^(II\*\0|MM\0\*)/.test(text)) return `a TIFF image, ${CONVERT}`;
  if (/^\s*<(svg|\?xml)/i.test(text)) return `an SVG image, ${CONVERT}`;
  if (text.startsWith('%PDF')) return 'a PDF file, not an image';
  if (/^.{4}ftyp/s.test(text)) return 'a video, not an image';
  if (/^\s*<(!doctype|html)/i.test(text)) return 'an HTML page, not an image';
  return undefined;
}

const shortened = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);
