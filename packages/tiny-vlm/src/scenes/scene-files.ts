// Scenes as PNG files in a folder, drawn when first requested. Files are written atomically, so several
// processes may draw into one folder at the same time.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { messageOf } from '@mmtok/core/internal';
import { TinyVlmError } from '../tiny-vlm-error.js';
import { drawScene } from './draw-scene.js';
import { SCENE_SIZE, type Scene } from './scene.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BITS_PER_CHANNEL = 8;
const TRUE_COLOR = 2;
const NO_FILTER = 0;

/**
 * Draws the named scenes that are missing in the folder.
 *
 * @param scenes Maps file names to scenes. An existing file is assumed to show its scene.
 * @throws TinyVlmError `MMTOK_IMAGES_NOT_WRITTEN` if the folder cannot be written to.
 */
export async function drawSceneFiles(folder: string, scenes: ReadonlyMap<string, Scene>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const there = new Set(await readdir(folder));
    for (const [name, scene] of scenes) {
      if (!there.has(name)) await writeWhole(join(folder, name), pngOf(scene));
    }
  } catch (cause) {
    if (cause instanceof TinyVlmError) throw cause;
    throw new TinyVlmError(
      'MMTOK_IMAGES_NOT_WRITTEN',
      `Cannot draw images into the folder '${folder}' (${messageOf(cause)})`,
      {
        hint: 'Choose a writable folder with heldOut({ folder }), or for all caches with the variable XDG_CACHE_HOME.',
        cause,
      },
    );
  }
}

function pngOf(scene: Scene): Buffer {
  const { side = SCENE_SIZE } = scene;
  return encodePng(drawScene(scene), side, side);
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const unfinished = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(unfinished, content);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/**
 * Encodes `width` × `height` pixels of three bytes each, row by row, as a PNG file: 8 bits per channel, no filter, no metadata,
 * so that equal pixels give equal files.
 */
export function encodePng(pixels: Uint8Array, width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = BITS_PER_CHANNEL;
  header[9] = TRUE_COLOR;

  const rowLength = 3 * width;
  const rows = Buffer.alloc(height * (1 + rowLength), NO_FILTER);
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * rowLength, (row + 1) * rowLength), row * (1 + rowLength) + 1);
  }
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, checksum]);
}
