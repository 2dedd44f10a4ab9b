// The surface behind a scene's objects: a colour with a gradient, smooth spots and a pattern. Its grain is added last, over
// everything: see draw-scene.ts.
import { noise } from './noise.js';
import { type Background, SCENE_SIZE } from './scene.js';

/** Spots are random levels at the corners of so many by so many cells, bilinear between them. */
const BLOTCH_CELLS = 7;

/** Keeps the numbers of the spots apart from those of the grain, which have the same seed. */
const BLOTCH_SEED = 0x5eed;

/** Levels of red, green and blue, pixel by pixel. */
export function drawBackground(ground: Background): Float64Array {
  const levels = new Float64Array(SCENE_SIZE * SCENE_SIZE * 3);
  const spots = blotches(ground);
  for (let row = 0; row < SCENE_SIZE; row++) {
    for (let column = 0; column < SCENE_SIZE; column++) {
      const [x, y] = [column + 0.5, row + 0.5];
      const pixel = row * SCENE_SIZE + column;
      const slope = (x / SCENE_SIZE - 0.5) * ground.gradient[0] + (y / SCENE_SIZE - 0.5) * ground.gradient[1];
      const level = slope + spots[pixel]! + pattern(ground, x, y);
      for (let channel = 0; channel < 3; channel++) {
        levels[3 * pixel + channel] = ground.rgb[channel]! + level;
      }
    }
  }
  return levels;
}

function blotches({ seed, blotch }: Background): Float64Array {
  const nodes = BLOTCH_CELLS + 1;
  const corners = noise(seed ^ BLOTCH_SEED, nodes * nodes).map((value) => (value - 0.5) * (2 * blotch));
  const places = Array.from({ length: SCENE_SIZE }, (_, at) => {
    const position = ((at + 0.5) / SCENE_SIZE) * BLOTCH_CELLS;
    const cell = Math.floor(position);
    return { cell, t: position - cell };
  });
  const spots = new Float64Array(SCENE_SIZE * SCENE_SIZE);
  for (const [row, { cell: cellY, t: ty }] of places.entries()) {
    for (const [column, { cell: cellX, t: tx }] of places.entries()) {
      const at = cellY * nodes + cellX;
      const top = corners[at]! * (1 - tx) + corners[at + 1]! * tx;
      const bottom = corners[at + nodes]! * (1 - tx) + corners[at + nodes + 1]! * tx;
      spots[row * SCENE_SIZE + column] = top * (1 - ty) + bottom * ty;
    }
  }
  return spots;
}

/** What the pattern adds at a point: bands that differ by the contrast, or two such bandings across each other. */
function pattern({ pattern: name, cos, sin, period, contrast }: Background, x: number, y: number): number {
  if (name === 'plain') return 0;
  const along = Math.floor((x * cos + y * sin) / period);
  const across = name === 'checks' ? Math.floor((y * cos - x * sin) / period) : 0;
  const band = along + across;
  const isOdd = band - 2 * Math.floor(band / 2);
  return (isOdd - 0.5) * contrast;
}
