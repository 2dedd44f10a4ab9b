// Blends one object or stroke into a picture that is being drawn. Where its edge runs: see outline.ts.
import { outlineOf } from './outline.js';
import { SCENE_SIZE, type Thing } from './scene.js';

/** Paints a thing over `levels`: red, green and blue of each pixel. */
export function paintThing(levels: Float64Array, thing: Thing): void {
  const { x: centreX, y: centreY, radius, cos, sin, rgb, shade } = thing;
  const distanceAt = outlineOf(thing.shape);
  const reach = radius * 1.25 + 2;
  const [left, right] = pixelsWithin(centreX, reach);
  const [top, bottom] = pixelsWithin(centreY, reach);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const x = column + 0.5 - centreX;
      const y = row + 0.5 - centreY;
      const distance = distanceAt(x * cos + y * sin, y * cos - x * sin, radius);
      const cover = Math.min(Math.max(0.5 - distance, 0), 1);
      const ramp = (x * shade[0] + y * shade[1]) / radius;
      const at = 3 * (row * SCENE_SIZE + column);
      for (let channel = 0; channel < 3; channel++) {
        levels[at + channel] = levels[at + channel]! * (1 - cover) + (rgb[channel]! + ramp) * cover;
      }
    }
  }
}

/** The pixels of an axis around a place: the first, and the one after the last. */
function pixelsWithin(centre: number, reach: number): [first: number, end: number] {
  return [Math.max(0, Math.floor(centre - reach)), Math.min(SCENE_SIZE, Math.floor(centre + reach) + 1)];
}
