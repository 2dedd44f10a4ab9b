// Runs one command line and returns its exit code.

import { type Context, services } from './commands/context.js';
import { explainFailure } from './errors.js';
import { createProgram } from './program.js';
import { type Io, print } from './terminal/io.js';

/**
 * Runs a command line such as `['ask', 'photo.jpg', 'What is this?']`.
 * @returns The exit code: 0 for success, 1 for failures, 2 for wrong usage or bad input.
 */
export async function main(
  argv: readonly string[],
  io: Io,
  parts: Context['services'] = services,
): Promise<number> {
  const program = createProgram({ io, services: parts });
  try {
    await program.command.parseAsync([...argv], { from: 'user' });
    return program.exitCode();
  } catch (error) {
    const { exitCode, message } = explainFailure(error, argv.includes('--debug'));
    if (message !== undefined) print(io.stderr, message);
    return exitCode;
  }
}
