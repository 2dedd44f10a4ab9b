import { expect, it } from 'vitest';
import { tileHint } from './vlm.js';

const image = (tiles: number) => ({
  tiles: Array.from({ length: tiles }, () => ({ visionTokens: 16, indices: [] })),
});

it('suggests fewer tiles where encoding them takes most of the time', () => {
  const slow = { encodeMs: 930, firstTokenMs: 1000 };
  expect(tileHint({ images: [image(17)], timings: slow })).toEqual([
    'the encoder took 93.0 % of the time to first token: --tiles 5 encodes 5 of 17 tiles',
  ]);
  expect(tileHint({ images: [image(3), image(5)], timings: slow })).toEqual([]);
  expect(tileHint({ images: [], timings: slow })).toEqual([]);
  expect(tileHint({ images: [image(17)], timings: { encodeMs: 400, firstTokenMs: 1000 } })).toEqual([]);
});
