// Compares the pixels with those of the Python code that drew the training scenes.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseLines } from '../files.js';
import { TinyVlmError } from '../tiny-vlm-error.js';
import { drawScene } from './draw-scene.js';
import { signCharacters } from './glyphs.js';
import { SCENE_SIZE, type Scene, type SceneShape, type Thing, TILED_SCENE_SIZE } from './scene.js';

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');
const scenes = parseLines<Scene>(await read('../../heldout/scenes.jsonl'));
const signScenes = parseLines<Scene>(await read('../../heldout-tiled/scenes.jsonl'));

/** A background of one gray level, with nothing on it. */
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
test.each([
  ['held-out', scenes],
  ['held-out-tiled', signScenes],
] as const)('draws the same bytes as Python for every scene of %s', async (name, all) => {
  const expected = (await read(`../../test/fixtures/${name}-pixels.txt`)).trimEnd().split('\n');
  const drawn = all.map((scene) => createHash('sha256').update(drawScene(scene)).digest('hex').slice(0, 16));
  const differing = drawn.flatMap((hash, index) => (hash === expected[index] ? [] : [index]));
  expect(drawn).toHaveLength(expected.length);
  expect(differing).toEqual([]);
});

test('the held-out scenes have every shape, pattern, and background', () => {
  const seen = (values: readonly string[]): string[] => [...new Set(values)].sort();
  expect(
    seen(scenes.flatMap(({ objects, clutter }) => [...objects, ...clutter]).map(({ shape }) => shape)),
  ).toEqual(['circle', 'cross', 'ring', 'square', 'star', 'stroke', 'triangle']);
  expect(seen(scenes.map(({ background }) => background.pattern))).toEqual(['checks', 'plain', 'stripes']);
  expect(seen(scenes.map(({ background }) => background.color))).toEqual(['black', 'brown', 'gray', 'white']);
});

test('the held-out scenes of the tiled model have every mark, character, and length of text', () => {
  const things = signScenes.flatMap(({ objects }) => objects);
  const texts = things.flatMap(({ text }) => text ?? []);
  expect(new Set(things.map(({ mark }) => mark))).toEqual(new Set(['none', 'dot', 'bar', undefined]));
  expect([...new Set(texts.join(''))].sort()).toEqual([...signCharacters].sort());
  expect([...new Set(texts.map((text) => text.length))].sort()).toEqual([1, 2, 3]);
});

test('text is dark on bright signs and light on dark ones, and is clipped to the image', () => {
  const sign = disc({ shape: 'sign', text: 't', x: 64, y: 64, radius: 10 });
  const dark = { ...sign, rgb: [20, 20, 90] as const, x: 120, y: 3 };
  const pixels = drawScene({
    background: paper,
    clutter: [],
    objects: [{ ...sign, rgb: [250, 200, 10] }, dark],
  });
  // A pixel of the bar of a T, and one next to it.
  expect(pixelAt(pixels, 60, 57)).toEqual([20, 20, 20]);
  expect(pixelAt(pixels, 60, 60)).toEqual([250, 200, 10]);
  expect(pixelAt(pixels, 53, 64)).toEqual([100, 100, 100]);
  expect(pixelAt(pixels, 120, 3)).toEqual([244, 244, 244]);
});

test('a dot and a bar have the same area, and are on the band of a ring', () => {
  const count = (thing: Thing): number => {
    const pixels = drawScene({ background: paper, clutter: [], objects: [thing] });
    return pixels.filter((_, at) => at % 3 === 0 && pixels[at] === 244 && pixels[at + 1] === 244).length;
  };
  expect([count(disc({ mark: 'dot' })), count(disc({ mark: 'bar' })), count(disc({ mark: 'none' }))]).toEqual(
    [16, 16, 0],
  );
  const ring = disc({ shape: 'ring', radius: 20, mark: 'dot' });
  const pixels = drawScene({ background: paper, clutter: [], objects: [ring] });
  expect(pixelAt(pixels, 64, 64)).toEqual([100, 100, 100]);
  expect(pixelAt(pixels, 64, 49)).toEqual([244, 244, 244]);
});

test('a scene may be larger', () => {
  const scene = {
    background: paper,
    clutter: [],
    objects: [disc({ x: 200, y: 200 })],
    side: TILED_SCENE_SIZE,
  };
  const pixels = drawScene(scene);
  expect(pixels).toHaveLength(3 * 256 ** 2);
  expect([...pixels.subarray(3 * (200 * 256 + 200), 3 * (200 * 256 + 200) + 3)]).toEqual([200, 50, 0]);
});

test('things are drawn over the background in order, and are clipped to the image', () => {
  const blue = disc({ x: 70, rgb: [0, 0, 250] });
  const outside = disc({ x: 128, y: 0, rgb: [0, 250, 0] });
  const pixels = drawScene({ background: paper, clutter: [], objects: [disc(), blue, outside] });
  expect(pixels).toHaveLength(3 * SCENE_SIZE ** 2);
  expect(pixelAt(pixels, 5, 5)).toEqual([100, 100, 100]);
  expect(pixelAt(pixels, 57, 64)).toEqual([200, 50, 0]);
  expect(pixelAt(pixels, 66, 64)).toEqual([0, 0, 250]);
  expect(pixelAt(pixels, 127, 0)).toEqual([0, 250, 0]);
});

test('levels are clamped to 0 and 255', () => {
  const bright = { ...paper, rgb: [250, 3, 100] as const, gradient: [40, 0] as const };
  const pixels = drawScene({ background: bright, clutter: [], objects: [] });
  expect(pixelAt(pixels, 127, 0)[0]).toBe(255);
  expect(pixelAt(pixels, 0, 0)[1]).toBe(0);
});

test('rejects an unknown shape by name, and lists the known ones', () => {
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
    { background: paper, clutter: [], objects: [], side: 0 },
    'side to be a whole number from 1 to 4096, got 0',
  ],
  [
    { background: paper, clutter: [], objects: [disc({ mark: 'x' as 'dot' })] },
    'objects[0].mark to be one of none, dot, bar, got "x"',
  ],
  [
    { background: paper, clutter: [], objects: [disc({ text: 'a' })] },
    'objects[0].text to be characters among',
  ],
  [
    { background: paper, clutter: [disc({ radius: 0 })], objects: [] },
    'clutter[0].radius to be a number above 0',
  ],
])('rejects a malformed scene: %j', (scene, problem) => {
  expect(() => drawScene(scene as Scene)).toThrow(
    expect.objectContaining({ code: 'MMTOK_INVALID_SCENE', message: expect.stringContaining(problem) }),
  );
});

test('ignores the period of a plain background', () => {
  expect(drawScene({ background: { ...paper, period: 0 }, clutter: [], objects: [] })[0]).toBe(100);
});
