// Captions as SVG: lines of text, wrapped to a width.

import type { CaptionLine } from '../images/overlay.js';
import { wrap } from '../terminal/table.js';
import type { Font } from './font.js';

const LINE_HEIGHT = 1.4;
/** Where the baseline lies in a line, from its top. */
const BASELINE = 0.8;

const STYLES: Readonly<Record<CaptionLine['style'], { readonly color: string; readonly scale: number }>> = {
  question: { color: '#57606a', scale: 1 },
  answer: { color: '#1f2328', scale: 1.3 },
  good: { color: '#1a7f37', scale: 1.3 },
  bad: { color: '#cf222e', scale: 1.3 },
  note: { color: '#8b949e', scale: 0.8 },
};

/** A caption ready to be placed. */
export interface LaidOutCaption {
  readonly height: number;
  /** SVG elements with the caption's top left corner at (x, y). */
  draw(x: number, y: number): string;
}

/** Wraps and measures a caption; `size` is that of a question's letters, in pixels. */
export function layOutCaption(
  font: Font,
  lines: readonly CaptionLine[],
  width: number,
  size: number,
): LaidOutCaption {
  const wrapped = lines.flatMap(({ text, style }) => {
    const { color, scale } = STYLES[style];
    const letters = size * scale;
    const rows = wrap(text, (line) => font.widthOf(line, letters) <= width);
    return rows.map((row) => ({ row, color, letters }));
  });
  const height = wrapped.reduce((sum, { letters }) => sum + letters * LINE_HEIGHT, 0);
  return {
    height: Math.ceil(height),
    draw(x, y) {
      let top = y;
      return wrapped
        .map(({ row, color, letters }) => {
          const baseline = top + letters * (BASELINE + (LINE_HEIGHT - 1) / 2);
          top += letters * LINE_HEIGHT;
          return `<path d="${font.outlineOf(row, x, baseline, letters)}" fill="${color}"/>`;
        })
        .join('');
    },
  };
}
