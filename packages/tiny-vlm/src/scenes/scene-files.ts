// Scenes as PNG files in a folder, drawn when they are first asked for. A file is written whole or not at all, so several
// processes may draw into one folder at once.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TinyVlmError } from '../tiny-vlm-error.js';
import { drawScene } from './draw-scene.js';
import { encodePng } from './encode-png.js';
import { SCENE_SIZE, type Scene } from './scene.js';

/**
 * Draws those of the named scenes that the folder lacks.
 *
 * @param scenes From file names to scenes. A file that is there is taken for its scene.
 * @throws TinyVlmError `MMTOK_PICTURES_NOT_WRITTEN` when the folder cannot be written to.
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
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TinyVlmError(
      'MMTOK_PICTURES_NOT_WRITTEN',
      `Cannot draw pictures into the folder '${folder}' (${reason}). Name one that can be written to: heldOut({ folder }), ` +
        'or the variable XDG_CACHE_HOME for all caches.',
      { cause },
    );
  }
}

function pngOf(scene: Scene): Buffer {
  return encodePng(drawScene(scene), SCENE_SIZE, SCENE_SIZE);
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const unfinished = `${path}.${randomUUID()}.part`;
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}
