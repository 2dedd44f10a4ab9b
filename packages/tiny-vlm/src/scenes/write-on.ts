// Draws the characters of a sign and the small mark of an object, in whole pixels, as training/tiny_vlm/draw.py does.
import { COLUMNS, DOT, glyphs, PITCH, ROWS } from './glyphs.js';
import type { Thing } from './scene.js';

/** Half width and half height of the marks in pixels. The area is the same, so that they differ only in form. */
const markHalves = { dot: [2, 2], bar: [4, 1] } as const;

/** Text and marks are light on dark colors and dark on light ones. */
const [LIGHT, DARK, BRIGHT_SUM] = [244, 20, 380];

/** Offset of a ring's mark from its center toward the top, in radii: a mark in the hole would not be on the ring. */
const RING_BAND = 0.74;

/** Sets all channels of the pixels of a rectangle, clipped to the image. */
export type Fill = (x: number, y: number, width: number, height: number, level: number) => void;

/** Writes a sign's text, or an object's mark. */
export function writeOn({ shape, x, y, radius, rgb, mark, text }: Thing, fill: Fill): void {
  const ink = rgb[0] + rgb[1] + rgb[2] > BRIGHT_SUM ? DARK : LIGHT;
  if (mark === 'dot' || mark === 'bar') {
    const [halfWidth, halfHeight] = markHalves[mark];
    const up = shape === 'ring' ? RING_BAND * radius : 0;
    const left = Math.floor(x + 0.5) - halfWidth;
    const top = Math.floor(y - up + 0.5) - halfHeight;
    fill(left, top, 2 * halfWidth, 2 * halfHeight, ink);
  }
  const characters = [...(text ?? '')];
  const left =
    Math.floor(x) - Math.floor((characters.length * PITCH) / 2) + Math.floor((PITCH - COLUMNS * DOT) / 2);
  const top = Math.floor(y) - Math.floor((ROWS * DOT) / 2);
  for (const [number, character] of characters.entries()) {
    for (const [row, dots] of glyphs[character]!.entries()) {
      for (const [column, dot] of [...dots].entries()) {
        if (dot === '#') fill(left + number * PITCH + column * DOT, top + row * DOT, DOT, DOT, ink);
      }
    }
  }
}
