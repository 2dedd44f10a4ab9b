// One line at the bottom of a terminal that says what is going on and vanishes when it is over. Silent in a pipe or in CI.

import type { Output } from './io.js';
import { safeText } from './text.js';

/** A line that is overwritten. */
export interface StatusLine {
  /** Shows a text in place of the one before. */
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
      const width = (output.columns ?? 80) - 1;
      output.write(START_OF_LINE + safeText([...text.replaceAll('\n', ' ')].slice(0, width).join('')));
    },
    clear() {
      if (!isDrawn) return;
      isDrawn = false;
      drawnAt = Number.NEGATIVE_INFINITY;
      output.write(START_OF_LINE);
    },
  };
}
