// The pixels against those of Python, which drew the scenes that the model was trained on.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseLines } from '../files.js';
import { TinyVlmError } from '../tiny-vlm-error.js';
import { drawScene } from './draw-scene.js';
import { SCENE_SIZE, type Scene, type SceneShape, type Thing } from './scene.js';

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');
const scenes = parseLines<Scene>(await read('../../heldout/scenes.jsonl'));

/** Paper of one grey level, with nothing on it. */
const paper: Scene['background'] = {
  color: 'gray',
  rgb: [100, 100, 100],
  gradient: [0, 0],
  blotch: 0,
  pattern: 'plain',
  contrast: 0,
  period: 1,
  cos: 1,
  sin: 0,
  grain: 0,
  seed: 0,
};

function disc(over: Partial<Thing> = {}): Thing {
  const rgb = [200, 50, 0] as const;
  const plain = { x: 64, y: 64, radius: 10, cos: 1, sin: 0, rgb, shade: [0, 0] as const };
  return { shape: 'circle', color: 'red', size: 'large', ...plain, ...over };
}

function pixelAt(pixels: Uint8Array, x: number, y: number): number[] {
  return [...pixels.subarray(3 * (y * SCENE_SIZE + x), 3 * (y * SCENE_SIZE + x) + 3)];
}

// Each line of the file is the start of the SHA-256 of one scene's RGB bytes, as training/tiny_vlm/draw.py draws it.
test('are the same bytes for every held-out scene', async () => {
  const expected = (await read('../../test/fixtures/held-out-pixels.txt')).trimEnd().split('\n');
  const drawn = scenes.map((scene) =>
    createHash('sha256').update(drawScene(scene)).digest('hex').slice(0, 16),
  );
  const differing = drawn.flatMap((hash, index) => (hash === expected[index] ? [] : [index]));
  expect(drawn).toHaveLength(expected.length);
  expect(differing).toEqual([]);
});

test('the held-out scenes show every shape, pattern and background', () => {
  const seen = (values: readonly string[]): string[] => [...new Set(values)].sort();
  expect(
    seen(scenes.flatMap(({ objects, clutter }) => [...objects, ...clutter]).map(({ shape }) => shape)),
  ).toEqual(['circle', 'cross', 'ring', 'square', 'star', 'stroke', 'triangle']);
  expect(seen(scenes.map(({ background }) => background.pattern))).toEqual(['checks', 'plain', 'stripes']);
  expect(seen(scenes.map(({ background }) => background.color))).toEqual(['black', 'brown', 'gray', 'white']);
});

test('a scene of your own: things lie over the paper, later ones on top, and may leave the picture', () => {
  const blue = disc({ x: 70, rgb: [0, 0, 250] });
  const outside = disc({ x: 128, y: 0, rgb: [0, 250, 0] });
  const pixels = drawScene({ background: paper, clutter: [], objects: [disc(), blue, outside] });
  expect(pixels).toHaveLength(3 * SCENE_SIZE ** 2);
  expect(pixelAt(pixels, 5, 5)).toEqual([100, 100, 100]);
  expect(pixelAt(pixels, 57, 64)).toEqual([200, 50, 0]);
  expect(pixelAt(pixels, 66, 64)).toEqual([0, 0, 250]);
  expect(pixelAt(pixels, 127, 0)).toEqual([0, 250, 0]);
});

test('levels end at 0 and 255', () => {
  const bright = { ...paper, rgb: [250, 3, 100] as const, gradient: [40, 0] as const };
  const pixels = drawScene({ background: bright, clutter: [], objects: [] });
  expect(pixelAt(pixels, 127, 0)[0]).toBe(255);
  expect(pixelAt(pixels, 0, 0)[1]).toBe(0);
});

test('an unknown shape is named, with those there are', () => {
  const blob = disc({ shape: 'blob' as SceneShape });
  const draw = (): Uint8Array => drawScene({ background: paper, clutter: [], objects: [blob] });
  expect(draw).toThrow(TinyVlmError);
  expect(draw).toThrow(/'blob': expected one of circle, ring, /);
});

test.each<[unknown, string]>([
  [undefined, 'background to be an object, got undefined'],
  [{}, 'background to be an object, got undefined'],
  [
    { background: { ...paper, pattern: 'dots' }, clutter: [], objects: [] },
    'one of plain, stripes, checks, got "dots"',
  ],
  [{ background: { ...paper, pattern: 'stripes', period: 0 }, clutter: [], objects: [] }, 'above 0, got 0'],
  [
    { background: { ...paper, rgb: [1, 2] }, clutter: [], objects: [] },
    'background.rgb to be an array of 3 numbers',
  ],
  [
    { background: { ...paper, grain: Number.NaN }, clutter: [], objects: [] },
    'background.grain to be a number, got NaN',
  ],
  [{ background: paper, objects: [] }, 'clutter to be an array, got undefined'],
  [{ background: paper, clutter: [], objects: [disc(), {}] }, 'objects[1].x to be a number, got undefined'],
  [
    { background: paper, clutter: [disc({ radius: 0 })], objects: [] },
    'clutter[0].radius to be a number above 0',
  ],
])('a scene of another form is refused: %j', (scene, problem) => {
  expect(() => drawScene(scene as Scene)).toThrow(
    expect.objectContaining({ code: 'MMTOK_INVALID_SCENE', message: expect.stringContaining(problem) }),
  );
});

test('the period of no pattern is not looked at', () => {
  expect(drawScene({ background: { ...paper, period: 0 }, clutter: [], objects: [] })[0]).toBe(100);
});
