// One line at the bottom of a terminal that shows what is going on and disappears afterwards. Silent in a pipe or in CI.

import wrapAnsi from 'wrap-ansi';
import type { Output } from './io.js';
import { safeText } from './text.js';

/** A line that is overwritten. */
export interface StatusLine {
  /** Replaces the line's text. */
  show(text: string): void;
  /** Removes the line. Call it before anything else is printed. */
  clear(): void;
}

const REDRAW_MS = 50;
const START_OF_LINE = '\r\u001b[2K';

/** A status line on a stream. */
export function createStatusLine(output: Output): StatusLine {
  if (output.isTTY !== true) return { show: () => undefined, clear: () => undefined };
  let drawnAt = Number.NEGATIVE_INFINITY;
  let isDrawn = false;
  return {
    show(text) {
      const now = performance.now();
      if (now - drawnAt < REDRAW_MS) return;
      drawnAt = now;
      isDrawn = true;
      output.write(START_OF_LINE + cut(text, Math.max(1, (output.columns ?? 80) - 1)));
    },
    clear() {
      if (!isDrawn) return;
      isDrawn = false;
      drawnAt = Number.NEGATIVE_INFINITY;
      output.write(START_OF_LINE);
    },
  };
}

/** The beginning of a text that fits into `width` cells; no cell holds more than a few code units. */
function cut(text: string, width: number): string {
  const start = safeText(text.slice(0, 8 * width).replaceAll('\n', ' '));
  const [line = ''] = wrapAnsi(start, width, { hard: true, wordWrap: false, trim: false }).split('\n', 1);
  return line;
}
