// Streams that record what was written, for running commands without a process.

import type { Io } from '../src/terminal/io.js';

/** Streams whose output can be read. */
export interface FakeIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
}

/** @param terminal The width of the terminal. Absent: the streams are not a terminal. */
export function fakeIo(
  options: { readonly cwd?: string; readonly stdin?: Uint8Array; readonly terminal?: number } = {},
): FakeIo {
  const { cwd = process.cwd(), stdin, terminal } = options;
  let out = '';
  let err = '';
  const look = terminal === undefined ? {} : { isTTY: true, columns: terminal };
  return {
    stdin: (async function* () {
      if (stdin !== undefined) yield stdin;
    })(),
    stdout: { write: (text) => (out += text), ...look },
    stderr: { write: (text) => (err += text), ...look },
    env: { NO_COLOR: '1' },
    cwd,
    out: () => out,
    err: () => err,
  };
}
