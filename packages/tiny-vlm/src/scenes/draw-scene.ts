// A scene's pixels, byte for byte as in training/tiny_vlm/draw.py: both use only + - * / sqrt floor abs min max on 64-bit
// floats, in the same order, and noise from integers. Change both together; a test compares them.
import { checkScene } from './check-scene.js';
import { outlineOf } from './outline.js';
import { type Background, SCENE_SIZE, type Scene, type Thing } from './scene.js';
import { type Fill, writeOn } from './write-on.js';

/** Spots are random levels at the corners of a square grid with this many cells per side, interpolated bilinearly. */
const BLOTCH_CELLS = 7;

/** Separates the random numbers of the spots from those of the grain, which use the same seed. */
const BLOTCH_SEED = 0x5eed;

/**
 * Draws a scene.
 *
 * @returns `side` × `side` pixels, by default 128 × 128, row by row, three bytes each: red, green, blue.
 * @throws TinyVlmError `MMTOK_UNKNOWN_SHAPE` for an unknown shape, `MMTOK_INVALID_SCENE` for a malformed scene.
 * @example
 * const image = new RawImage(drawScene(scene), SCENE_SIZE, SCENE_SIZE, 3);
 * await vlm.ask(image, 'What color is the star?');
 */
export function drawScene(scene: Scene): Uint8Array {
  checkScene(scene);
  const { background, clutter, objects, side = SCENE_SIZE } = scene;
  const levels = drawBackground(background, side);
  for (const stroke of clutter) paintThing(levels, stroke, side);
  for (const object of objects) {
    paintThing(levels, object, side);
    writeOn(object, fillOf(levels, side));
  }

  const pixels = new Uint8Array(levels.length);
  const grain = noise(background.seed, side * side);
  for (let pixel = 0; pixel < grain.length; pixel++) {
    const shift = (grain[pixel]! - 0.5) * (2 * background.grain);
    for (let at = 3 * pixel; at < 3 * pixel + 3; at++) {
      pixels[at] = Math.floor(Math.min(Math.max(levels[at]! + shift, 0), 255) + 0.5);
    }
  }
  return pixels;
}

/** Levels of red, green, and blue, pixel by pixel. */
function drawBackground(ground: Background, side: number): Float64Array {
  const levels = new Float64Array(side * side * 3);
  const spots = blotches(ground, side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [column + 0.5, row + 0.5];
      const pixel = row * side + column;
      const slope = (x / side - 0.5) * ground.gradient[0] + (y / side - 0.5) * ground.gradient[1];
      const level = slope + spots[pixel]! + pattern(ground, x, y);
      for (let channel = 0; channel < 3; channel++) {
        levels[3 * pixel + channel] = ground.rgb[channel]! + level;
      }
    }
  }
  return levels;
}

function blotches({ seed, blotch }: Background, side: number): Float64Array {
  const nodes = BLOTCH_CELLS + 1;
  const corners = noise(seed ^ BLOTCH_SEED, nodes * nodes).map((value) => (value - 0.5) * (2 * blotch));
  const places = Array.from({ length: side }, (_, at) => {
    const position = ((at + 0.5) / side) * BLOTCH_CELLS;
    const cell = Math.floor(position);
    return { cell, t: position - cell };
  });
  const spots = new Float64Array(side * side);
  for (const [row, { cell: cellY, t: ty }] of places.entries()) {
    for (const [column, { cell: cellX, t: tx }] of places.entries()) {
      const at = cellY * nodes + cellX;
      const top = corners[at]! * (1 - tx) + corners[at + 1]! * tx;
      const bottom = corners[at + nodes]! * (1 - tx) + corners[at + nodes + 1]! * tx;
      spots[row * side + column] = top * (1 - ty) + bottom * ty;
    }
  }
  return spots;
}

/** What the pattern adds at a point: bands that differ by the contrast, or two sets of such bands that cross. */
function pattern({ pattern: name, cos, sin, period, contrast }: Background, x: number, y: number): number {
  if (name === 'plain') return 0;
  const along = Math.floor((x * cos + y * sin) / period);
  const across = name === 'checks' ? Math.floor((y * cos - x * sin) / period) : 0;
  const band = along + across;
  const isOdd = band - 2 * Math.floor(band / 2);
  return (isOdd - 0.5) * contrast;
}

/** Paints a thing over `levels`: red, green, and blue of each pixel. */
function paintThing(levels: Float64Array, thing: Thing, side: number): void {
  const { x: centreX, y: centreY, radius, cos, sin, rgb, shade } = thing;
  const distanceAt = outlineOf(thing.shape);
  const reach = radius * 1.25 + 2;
  const [left, right] = pixelsWithin(centreX, reach, side);
  const [top, bottom] = pixelsWithin(centreY, reach, side);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const x = column + 0.5 - centreX;
      const y = row + 0.5 - centreY;
      const distance = distanceAt(x * cos + y * sin, y * cos - x * sin, radius);
      const cover = Math.min(Math.max(0.5 - distance, 0), 1);
      const ramp = (x * shade[0] + y * shade[1]) / radius;
      const at = 3 * (row * side + column);
      for (let channel = 0; channel < 3; channel++) {
        levels[at + channel] = levels[at + channel]! * (1 - cover) + (rgb[channel]! + ramp) * cover;
      }
    }
  }
}

/** The pixel range around a point on one axis: the first pixel, and the one after the last. */
function pixelsWithin(centre: number, reach: number, side: number): [first: number, end: number] {
  return [Math.max(0, Math.floor(centre - reach)), Math.min(side, Math.floor(centre + reach) + 1)];
}

function fillOf(levels: Float64Array, side: number): Fill {
  return (x, y, width, height, level) => {
    const [left, right] = [Math.max(0, x), Math.min(side, x + width)];
    for (let row = Math.max(0, y); row < Math.min(side, y + height); row++) {
      if (right > left) levels.fill(level, 3 * (row * side + left), 3 * (row * side + right));
    }
  };
}

/**
 * `count` numbers in [0, 1) that look random and are the same in every language: a 32-bit hash of the seed and of each
 * number's index.
 */
function noise(seed: number, count: number): Float64Array {
  const numbers = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    let h = (Math.imul(index, 0x9e3779b9) + seed) | 0;
    h ^= h >>> 16;
    h = Math.imul(h, 0x21f0aaad);
    h ^= h >>> 15;
    h = Math.imul(h, 0x735a2d97);
    h ^= h >>> 15;
    numbers[index] = (h >>> 0) / 2 ** 32;
  }
  return numbers;
}
