// The streams that a command reads and writes, colors for them, and a status line. Tests run commands on their own streams.

import pc from 'picocolors';
import wrapAnsi from 'wrap-ansi';
import { safeJson, safeText } from './text.js';

/** A stream of text for a person or a program to read. */
export interface Output {
  write(text: string): unknown;
  /** Whether it is a terminal: only then are colors, progress, and a growing answer shown. */
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

/** The user's request to stop, for commands that can stop gracefully. Without a listener, it ends the program. */
export interface Interrupt {
  /** Listens until the returned function is called. */
  listen(listener: () => void): () => void;
}

/** The streams and environment of a command. */
export interface Io {
  /** What `-` reads. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Results. */
  readonly stdout: Output;
  /** Progress, notes and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /** Ctrl+C or SIGTERM; the second one ends the program. */
  readonly interrupt?: Interrupt;
}

/** Writes a line; control characters, which may come from files, become visible. */
export function print(output: Output, line = ''): void {
  output.write(`${safeText(line)}\n`);
}

/** Writes a value as JSON on a line. */
export function printJson(output: Output, value: unknown): void {
  output.write(`${safeJson(value)}\n`);
}

/** Functions that color text. */
export type Colors = ReturnType<typeof pc.createColors>;

/** Colors for a terminal or with `FORCE_COLOR`, unless `NO_COLOR` is set. */
export function colorsFor(output: Output, env: Io['env']): Colors {
  const isForced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
  const isPlain = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  return pc.createColors(!isPlain && (isForced || (output.isTTY === true && env.TERM !== 'dumb')));
}

// A line at the bottom of a terminal that shows progress and disappears afterwards. Silent in a pipe or in CI.

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
