// The page's plain functions: slider, address, code to copy, colors, cosines.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatHash, parseHash } from '../state/url.js';
import { nearest, normalizedRows, similarity } from './cosine.js';
import { heatColor, patchAt } from './draw.js';
import { cellsOf, layoutOf, placeOf, tilesBeside } from './layout.js';
import { answerAt, answerChanges } from './precomputed.js';
import { nearestStop, stopsOf } from './scale.js';
import { type SnippetState, snippet } from './snippet.js';
import { DEFAULT_TILES } from './tiles.js';

describe('the slider', () => {
  test.each([2, 16, 64, 576, 2880])('runs from 1 to all %d tokens and has a tenth', (visionTokens) => {
    const stops = stopsOf(visionTokens);
    expect(stops[0]).toBe(1);
    expect(stops.at(-1)).toBe(visionTokens);
    expect(stops).toContain(Math.max(1, Math.floor(visionTokens / 10)));
    expect(stops).toEqual([...new Set(stops)].sort((a, b) => a - b));
  });

  test('finds the nearest stop', () => {
    const stops = stopsOf(576);
    expect(stops[nearestStop(stops, 57)]).toBe(57);
    expect(stops[nearestStop(stops, 10_000)]).toBe(576);
  });
});

describe('the address', () => {
  test('holds the state', () => {
    const state = {
      image: '3.png',
      question: 'What is 50 % & why?',
      kept: 12,
      method: 'focus',
      view: 'order',
      device: 'wasm',
      model: { kind: 'hub', id: 'HuggingFaceTB/SmolVLM-256M-Instruct', dtype: 'q4' },
    } as const;
    expect(parseHash(formatHash(state))).toEqual(state);
  });

  test.each(['all', { max: 6 }, { worth: 0.15 }] as const)('holds the choice of tiles: %j', (tiles) => {
    const state = { image: 'signs/2.png', tiles, model: { kind: 'embedded', size: 'tiled' } } as const;
    expect(parseHash(formatHash(state))).toEqual(state);
  });

  test('of an older link still names its image', () => {
    expect(parseHash('#picture=3.png')).toEqual({ image: '3.png' });
  });

  test('is not trusted', () => {
    const wrong =
      '#image=../secret.png&kept=-3&tiles=0&worth=2&method=other&view=x&device=tpu&model=javascript:alert(1)';
    expect(parseHash(wrong)).toEqual({});
    expect(parseHash(`#q=${'x'.repeat(9000)}`).question).toHaveLength(500);
  });
});

describe('the code to copy', () => {
  const state: SnippetState = {
    where: 'node',
    model: { kind: 'hub', id: 'owner/name', dtype: 'q4' },
    device: 'webgpu',
    question: "What's this?",
    kept: 57,
    tiles: 'all',
    method: 'mmtok',
    image: 'cat.png',
  };

  test('quotes what the user typed', () => {
    expect(snippet(state)).toContain(String.raw`question: 'What\'s this?'`);
  });

  test('hands the embedded model of a browser to createVlm as it is', () => {
    const code = snippet({
      ...state,
      where: 'browser',
      device: 'wasm',
      model: { kind: 'embedded', size: 'base' },
    });
    expect(code).toContain('createVlm(tiny, { keep: 57 })');
  });

  test('names model, budget and method', () => {
    const code = (of: Partial<SnippetState>): string =>
      snippet({ ...state, ...of }).replaceAll(/,?\s+/g, ' ');
    expect(code({})).toContain("createVlm('owner/name' { dtype: 'q4' keep: 57 })");
    const focused = code({ where: 'browser', method: 'focus' });
    expect(focused).toContain("{ device: 'webgpu' dtype: 'q4' keep: 57 focus: 3 }");
  });

  test('names the tiled model with its weights, and the tiles to encode', () => {
    const model = { kind: 'embedded', size: 'tiled' } as const;
    const inNode = snippet({ ...state, model, tiles: { worth: 0.15 } });
    expect(inNode.replaceAll(/,?\s+/g, ' ')).toContain(
      "createVlm(tiledModelPath { dtype: 'fp16' keep: 57 tiles: { worth: 0.15 } })",
    );
    const inBrowser = snippet({ ...state, model, where: 'browser', device: 'wasm', tiles: { max: 6 } });
    expect(inBrowser).toContain("size: 'tiled',");
    expect(inBrowser).toContain('createVlm(tiny, { keep: 57, tiles: { max: 6 } })');
  });
});

describe('the layout of tokens', () => {
  const tile = (start: number, imagePart: readonly [number, number] | 'overview') =>
    ({ start, visionTokens: 4, grid: [2, 2], imagePart }) as const;
  const tiles = [tile(0, [0, 0]), tile(4, [0, 1]), tile(8, 'overview')] as const;

  test('is the grid of an image that is seen whole', () => {
    const whole = layoutOf([{ start: 0, visionTokens: 6, grid: [2, 3] }]);
    expect(whole).toMatchObject({ grid: [2, 3], tokens: [0, 1, 2, 3, 4, 5] });
  });

  test('puts tiles side by side, and leaves the overview beside the image', () => {
    const layout = layoutOf(tiles);
    expect(layout?.grid).toEqual([2, 4]);
    expect(layout?.tokens).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
    expect(cellsOf(layout, [6, 9, 0])).toEqual([6, 0]);
    expect(tilesBeside(tiles, layout)).toEqual([tiles[2]]);
    expect(placeOf(6, tiles, layout)).toBe('Row 2, column 3');
    expect(placeOf(9, tiles, layout)).toBe('Overview, row 1, column 2');
  });

  test('knows the tiles that were not encoded', () => {
    const [first, second, overview] = tiles;
    const layout = layoutOf([first, { ...second, isSkipped: true }, overview]);
    expect(layout).toMatchObject({ tileGrid: [1, 2], skippedTiles: [1] });
  });

  test('is unknown where tiles do not tell their places, or some are missing', () => {
    const placeless = tiles.map(({ imagePart: _, ...rest }) => rest);
    expect(layoutOf(placeless)).toBeUndefined();
    expect(tilesBeside(placeless, undefined)).toEqual(placeless);
    expect(placeOf(5, placeless, undefined)).toBe('Tile 2, row 1, column 2');
    expect(layoutOf([tile(0, [0, 0]), tile(4, [1, 1]), tile(8, 'overview')])).toBeUndefined();
  });
});

test('precomputed answers are kept where they change, and found at every stop', () => {
  const changes = answerChanges([
    [1, 'red'],
    [2, 'red'],
    [4, 'blue'],
    [8, 'blue'],
    [9, 'red'],
  ]);
  expect(changes).toEqual([
    [1, 'red'],
    [4, 'blue'],
    [9, 'red'],
  ]);
  expect([1, 2, 4, 8, 9].map((stop) => answerAt(changes, stop))).toEqual([
    'red',
    'red',
    'blue',
    'blue',
    'red',
  ]);
});

test('the precomputed examples of the tiled model encode the tiles that the page starts with', () => {
  const folder = new URL('../precomputed/signs/', import.meta.url);
  const examples = readdirSync(folder).map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
  expect(examples.length).toBeGreaterThan(0);
  for (const { tiles } of examples) expect(tiles).toEqual(DEFAULT_TILES);
});

test('patches are found by their place, the edges included', () => {
  expect(patchAt([24, 24], 0, 0)).toBe(0);
  expect(patchAt([24, 24], 1, 1)).toBe(575);
  expect(patchAt([2, 3], 0.5, 0.75)).toBe(4);
});

test('colors go from dark to light', () => {
  expect(heatColor(0)).toBe('rgb(46 16 91 / 1)');
  expect(heatColor(2, 0.5)).toBe('rgb(252 240 165 / 0.5)');
});

test('cosines, and the nearest of some rows', () => {
  const rows = normalizedRows({ data: Float32Array.of(3, 4, 0, 2, 0, 0), dims: [3, 2] });
  expect(similarity(rows, 0, rows, 1)).toBeCloseTo(0.8);
  expect(similarity(rows, 2, rows, 1)).toBe(0);
  expect(nearest(rows, rows, [0, 1])).toEqual([0, 1, 0]);
});
