// Approximate signed distance of a point to a shape's outline. It is exact near the edge, where it determines how much of a
// pixel is covered, and negative inside. The shape's center is the origin; y points down.
import { TinyVlmError } from '../tiny-vlm-error.js';
import { HALF_HEIGHT } from './glyphs.js';
import type { SceneShape } from './scene.js';

/** The signed distance of a point to the outline of a shape of radius `r`. */
export type Outline = (x: number, y: number, r: number) => number;

const { abs, max, min, sqrt } = Math;

/** The five directions of a star's tips, the first one up. */
const STAR_NORMALS = [
  [0, -1],
  [0.9510565162951535, -0.3090169943749474],
  [0.5877852522924731, 0.8090169943749475],
  [-0.5877852522924731, 0.8090169943749475],
  [-0.9510565162951535, -0.3090169943749474],
] as const;

const outlines: Readonly<Record<SceneShape, Outline>> = {
  circle: (x, y, r) => sqrt(x * x + y * y) - r,
  ring: (x, y, r) => abs(sqrt(x * x + y * y) - 0.74 * r) - 0.26 * r,
  square: (x, y, r) => max(abs(x), abs(y)) - 0.86 * r,
  cross: (x, y, r) => max(min(abs(x), abs(y)) - 0.3 * r, max(abs(x), abs(y)) - r),
  // Half width r.
  sign: (x, y, r) => max(abs(x) - r, abs(y) - HALF_HEIGHT),
  stroke: (x, y, r) => max(abs(x) - r, abs(y) - 0.7),
  triangle(x, y, r) {
    const down = y - 0.12 * r;
    const side = abs(x) * 0.8660254037844386 - down * 0.5;
    return max(down, side) - 0.55 * r;
  },
  // A point is inside if it is in all but at most one of five half-planes, so take the second largest distance.
  star(x, y, r) {
    let largest = -Infinity;
    let second = -Infinity;
    for (const [nx, ny] of STAR_NORMALS) {
      const distance = x * nx + y * ny - 0.36 * r;
      second = max(second, min(largest, distance));
      largest = max(largest, distance);
    }
    return second;
  },
};

/**
 * The outline of a shape.
 * @throws TinyVlmError `MMTOK_UNKNOWN_SHAPE` for an unknown shape.
 */
export function outlineOf(shape: SceneShape): Outline {
  if (Object.hasOwn(outlines, shape)) return outlines[shape];
  throw new TinyVlmError(
    'MMTOK_UNKNOWN_SHAPE',
    `Cannot draw the shape '${shape}': expected one of ${Object.keys(outlines).join(', ')}`,
  );
}
