// Drawing into folders: once, completely, and from several processes at the same time.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawImage } from '@huggingface/transformers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseLines } from '../files.js';
import { drawScene } from './draw-scene.js';
import type { Scene } from './scene.js';
import { drawSceneFiles, encodePng } from './scene-files.js';

let folder: string;
let scenes: readonly Scene[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mmtok-scenes-'));
  scenes = parseLines<Scene>(await readFile(new URL('../../heldout/scenes.jsonl', import.meta.url), 'utf8'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const named = (count: number): Map<string, Scene> =>
  new Map(scenes.slice(0, count).map((scene, index) => [`${index}.png`, scene]));

test('files have the pixels of their scenes, and concurrent drawing leaves no partial files', async () => {
  const shared = join(folder, 'new', 'shared');
  await Promise.all([drawSceneFiles(shared, named(4)), drawSceneFiles(shared, named(4))]);
  expect((await readdir(shared)).sort()).toEqual(['0.png', '1.png', '2.png', '3.png']);
  const { data } = await RawImage.read(join(shared, '3.png'));
  expect(Buffer.from(data).equals(drawScene(scenes[3]!))).toBe(true);
});

test('keeps existing files, and draws missing ones', async () => {
  const before = encodePng(new Uint8Array(3), 1, 1);
  await writeFile(join(folder, '0.png'), before);
  await drawSceneFiles(folder, named(2));
  expect(before.equals(await readFile(join(folder, '0.png')))).toBe(true);
  expect((await RawImage.read(join(folder, '1.png'))).width).toBe(128);
});

test('an error about a folder that cannot be created names it and says what to do', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(drawSceneFiles(join(file, 'sub'), named(1))).rejects.toMatchObject({
    code: 'MMTOK_IMAGES_NOT_WRITTEN',
    message: expect.stringMatching(/file\/sub' \(ENOTDIR.*heldOut\(\{ folder \}\)/),
  });
});

test('a file that cannot be written leaves no partial file', async () => {
  const place = join(folder, 'place');
  // A folder where the file should be.
  await mkdir(join(place, 'sub', '0.png'), { recursive: true });
  const [scene] = scenes as [Scene];
  const drawing = drawSceneFiles(place, new Map([['sub/0.png', scene]]));
  await expect(drawing).rejects.toMatchObject({ code: 'MMTOK_IMAGES_NOT_WRITTEN' });
  expect(await readdir(join(place, 'sub'))).toEqual(['0.png']);
});

test('an error about a malformed scene says so', async () => {
  const [scene] = scenes as [Scene];
  const odd = JSON.parse(JSON.stringify(scene).replaceAll(/"shape":"\w+"/g, '"shape":"blob"')) as Scene;
  const drawing = drawSceneFiles(folder, new Map([['odd.png', odd]]));
  await expect(drawing).rejects.toMatchObject({ code: 'MMTOK_UNKNOWN_SHAPE' });
});

test('a PNG decoder reads back the same pixels', async () => {
  const pixels = Uint8Array.from({ length: 3 * 5 * 7 }, (_, at) => (at * 37) % 256);
  const file = new Blob([new Uint8Array(encodePng(pixels, 5, 7))]);
  const { data, width, height, channels } = await RawImage.fromBlob(file);
  expect([width, height, channels]).toEqual([5, 7, 3]);
  expect([...data]).toEqual([...pixels]);
});
