// Files that look like images, with any size in their headers.

import { crc32, deflateSync } from 'node:zlib';

/** The header of a PNG that claims `width × height`; with `body`, a whole file of zeros, which compresses to almost nothing. */
export function png(width: number, height: number, body = Buffer.alloc(64)): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const chunk = (name: string, content: Buffer): Buffer => {
    const named = Buffer.concat([Buffer.from(name), content]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    check.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, check]);
  };
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(body)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The first bytes of a GIF. */
export function gif(width: number, height: number): Buffer {
  const file = Buffer.alloc(13);
  file.write('GIF89a');
  file.writeUInt16LE(width, 6);
  file.writeUInt16LE(height, 8);
  return file;
}

/** The first bytes of a JPEG, with an EXIF segment of `exif` bytes before the frame. */
export function jpeg(width: number, height: number, exif = 20): Buffer {
  const app = Buffer.alloc(4 + exif);
  app.writeUInt16BE(0xffe1, 0);
  app.writeUInt16BE(2 + exif, 2);
  const frame = Buffer.from([0xff, 0xc2, 0, 17, 8, 0, 0, 0, 0, 3, 1, 0x22, 0]);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), app, Buffer.from([0xff]), frame]);
}

/** The first bytes of a WebP in its three forms. */
export function webp(form: 'VP8 ' | 'VP8L' | 'VP8X', width: number, height: number): Buffer {
  const file = Buffer.alloc(32);
  file.write('RIFF');
  file.write('WEBP', 8);
  file.write(form, 12);
  if (form === 'VP8 ') {
    file.set([0x9d, 0x01, 0x2a], 23);
    file.writeUInt16LE(width, 26);
    file.writeUInt16LE(height, 28);
  } else if (form === 'VP8L') {
    file[20] = 0x2f;
    file.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 21);
  } else {
    file.writeUIntLE(width - 1, 24, 3);
    file.writeUIntLE(height - 1, 27, 3);
  }
  return file;
}

/** Bytes as a data URI. */
export const dataUri = (bytes: Buffer, type = 'image/png'): string =>
  `data:${type};base64,${bytes.toString('base64')}`;
