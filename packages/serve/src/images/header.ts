// Reads the type and size of an image from its first bytes, before anything decodes it.

/** What the header of an image states. */
export interface ImageHeader {
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';
  readonly width: number;
  readonly height: number;
}

/** Reads the header of a PNG, JPEG, GIF, or WebP file. Returns `undefined` for anything else, and for truncated headers. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return png(file) ?? jpeg(file) ?? gif(file) ?? webp(file);
  } catch {
    return undefined; // a read past the end
  }
}

const starts = (file: Buffer, text: string, at = 0): boolean =>
  file.toString('latin1', at, at + text.length) === text;

function png(file: Buffer): ImageHeader | undefined {
  if (!starts(file, '\x89PNG\r\n\x1a\n') || !starts(file, 'IHDR', 12)) return undefined;
  return { mediaType: 'image/png', width: file.readUInt32BE(16), height: file.readUInt32BE(20) };
}

function jpeg(file: Buffer): ImageHeader | undefined {
  if (!starts(file, '\xff\xd8\xff')) return undefined;
  let at = 2;
  while (at < file.length) {
    if (file.readUInt8(at) !== 0xff) return undefined;
    const marker = file.readUInt8(at + 1);
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      return {
        mediaType: 'image/jpeg',
        height: file.readUInt16BE(at + 5),
        width: file.readUInt16BE(at + 7),
      };
    }
    if (marker === 0xd9 || marker === 0xda) return undefined; // the scan begins without a frame
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    at += standsAlone ? 2 : 2 + Math.max(2, file.readUInt16BE(at + 2));
  }
  return undefined;
}

function gif(file: Buffer): ImageHeader | undefined {
  if (!starts(file, 'GIF87a') && !starts(file, 'GIF89a')) return undefined;
  return { mediaType: 'image/gif', width: file.readUInt16LE(6), height: file.readUInt16LE(8) };
}

function webp(file: Buffer): ImageHeader | undefined {
  if (!starts(file, 'RIFF') || !starts(file, 'WEBP', 8)) return undefined;
  const size = (width: number, height: number): ImageHeader => ({ mediaType: 'image/webp', width, height });
  if (starts(file, 'VP8 ', 12) && starts(file, '\x9d\x01\x2a', 23)) {
    return size(file.readUInt16LE(26) & 0x3fff, file.readUInt16LE(28) & 0x3fff);
  }
  if (starts(file, 'VP8L', 12) && file.readUInt8(20) === 0x2f) {
    const bits = file.readUInt32LE(21);
    return size((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
  }
  if (starts(file, 'VP8X', 12)) return size(file.readUIntLE(24, 3) + 1, file.readUIntLE(27, 3) + 1);
  return undefined;
}
