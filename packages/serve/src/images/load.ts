// The images of a request as checked bytes: data URIs, and remote addresses if they are allowed.

import { BadRequestError, LimitError, ServeError } from '../errors.js';
import { type ImageHeader, readImageHeader } from './header.js';
import { type FetchBounds, fetchImage, type RemoteImageOptions } from './remote.js';

/** An image that passed all checks. Its pixels have not been decoded yet. */
export interface CheckedImage extends ImageHeader {
  readonly bytes: Uint8Array;
}

/** Bounds of a request's images. */
export interface ImageBounds {
  /** Images of a request. */
  readonly images: number;
  /** Pixels of all images of a request together. */
  readonly pixels: number;
  /** Bytes of one remote image. */
  readonly bodyBytes: number;
  readonly imageFetchMs: number;
}

/** What {@link loadImages} needs in addition to the addresses. */
export interface LoadSettings {
  readonly bounds: ImageBounds;
  /** If absent, only data URIs are accepted. */
  readonly remote?: RemoteImageOptions | undefined;
  readonly signal: AbortSignal;
  readonly lookup?: FetchBounds['lookup'];
}

/** Longest side divided by shortest side; processors of vision models fail on thinner strips. */
const MAX_ASPECT = 200;

/**
 * Loads and checks images in order.
 * @throws BadRequestError, LimitError, or TimeoutError, with the `param` of the image at fault.
 */
export async function loadImages(
  sources: readonly { readonly url: string; readonly param: string }[],
  { bounds, remote, signal, lookup }: LoadSettings,
): Promise<readonly CheckedImage[]> {
  if (sources.length > bounds.images) {
    throw new LimitError(
      `The request has ${sources.length} images; this server accepts at most ${bounds.images}.`,
      {
        param: 'messages',
      },
    );
  }
  const images: CheckedImage[] = [];
  let pixels = 0;
  for (const { url, param } of sources) {
    const bytes = url.startsWith('data:')
      ? decodeDataUri(url, param)
      : await fetchRemote(url, param, { bounds, remote, signal, lookup });
    const header = readImageHeader(bytes);
    if (header === undefined) {
      throw new BadRequestError('The image is not a PNG, JPEG, GIF, or WebP file.', { param });
    }
    const { width, height } = header;
    pixels += width * height;
    if (pixels > bounds.pixels) {
      throw new LimitError(
        `The images up to this one (${width} × ${height}) have ${pixels} pixels; this server accepts at most ${bounds.pixels}.`,
        { param },
      );
    }
    const [short = 0, long = 0] = [width, height].sort((a, b) => a - b);
    if (short === 0 || long / short > MAX_ASPECT) {
      throw new BadRequestError(
        `The image is ${width} × ${height}; expected sides of at least 1 pixel and an aspect ratio of at most ${MAX_ASPECT} : 1.`,
        { param },
      );
    }
    images.push({ ...header, bytes });
  }
  return images;
}

function decodeDataUri(uri: string, param: string): Uint8Array {
  const comma = uri.indexOf(',');
  const isBase64 = /^data:[\w.+/-]*(?:;[\w=.+-]*)*;base64$/i.test(uri.slice(0, Math.min(comma, 200)));
  const text = uri.slice(comma + 1);
  if (comma < 0 || !isBase64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new BadRequestError(
      "An image's data URI is malformed; expected data:image/png;base64,… with standard base64.",
      { param },
    );
  }
  return Buffer.from(text, 'base64');
}

async function fetchRemote(
  url: string,
  param: string,
  { bounds, remote, signal, lookup }: LoadSettings,
): Promise<Uint8Array> {
  if (remote === undefined) {
    throw new BadRequestError(
      'This server does not fetch remote images. Send the image as a base64 data URI.',
      {
        param,
      },
    );
  }
  return await fetchImage(url, remote, {
    maxBytes: bounds.bodyBytes,
    timeoutMs: bounds.imageFetchMs,
    signal,
    ...(lookup !== undefined && { lookup }),
  }).catch((error: unknown) => {
    if (!(error instanceof ServeError)) throw error;
    const { code, message, status, cause } = error;
    throw new ServeError(code, message, { status, param, cause });
  });
}

/** The image as a data URI. */
export function toDataUri({ mediaType, bytes }: CheckedImage): string {
  return `data:${mediaType};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}
