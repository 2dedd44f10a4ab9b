// Runs a program without a shell and waits for it.

import { spawnSync } from 'node:child_process';
import { NativeBuildError } from './native-build-error.js';

/** Whether a program is installed and starts. */
export function isAvailable(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/**
 * Runs a program to its end and returns what it printed.
 * @throws NativeBuildError with the end of its messages if it fails.
 */
export function runCommand(
  what: string,
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly hint: string; readonly isDownload?: boolean },
): string {
  const { cwd, hint, isDownload = false } = options;
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return stdout;
  const said = `${stderr ?? ''}`.trim().split('\n').slice(-15).join('\n');
  const ended = error?.message ?? (signal === null ? `exit code ${status}` : `signal ${signal}`);
  throw new NativeBuildError(
    `${what} failed (${command}, ${ended})${said === '' ? '' : `:\n${said}\n`}`,
    hint,
    { isUnavailable: isDownload },
  );
}
