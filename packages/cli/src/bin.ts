#!/usr/bin/env node

// The executable: connects main() to the process.

import { main } from './main.js';
import type { Interrupt } from './terminal/io.js';

// `mmtok … | head` closes the pipe early, which is not a failure; a full disk behind `>` is.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  const reason = error.code === 'ENOSPC' ? 'the disk is full' : error.message;
  process.stderr.write(`error: The output cannot be written (${reason}).\n`, () => process.exit(1));
});
// Nothing can be reported without stderr.
process.stderr.on('error', () => process.exit(1));

const STOPPED = { SIGINT: 130, SIGTERM: 143 } as const;

const interrupt: Interrupt = {
  listen(listener) {
    let isFirst = true;
    const stop = (signal: keyof typeof STOPPED): void => {
      if (!isFirst) process.exit(STOPPED[signal]);
      isFirst = false;
      listener();
    };
    for (const signal of Object.keys(STOPPED)) process.on(signal, stop);
    return () => {
      for (const signal of Object.keys(STOPPED)) process.off(signal, stop);
    };
  },
};

process.exitCode = await main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  interrupt,
});
