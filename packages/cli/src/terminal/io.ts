// The streams that a command reads and writes, and colors for them. Tests run commands on streams of their own.

import pc from 'picocolors';
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
