// Runs a command and returns what it prints; its whole output is in the error if it fails.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs `command` in `folder` and returns its standard output. */
export async function run(command: string, parameters: readonly string[], folder: string): Promise<string> {
  try {
    const { stdout } = await execute(command, [...parameters], {
      cwd: folder,
      maxBuffer: 2 ** 28,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', NEXT_TELEMETRY_DISABLED: '1' },
    });
    return stdout;
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    const hint =
      code === 'ENOENT' ? `${command} is not on the PATH; start these checks with pnpm pack:check` : '';
    const shown = [stdout, stderr, hint].filter((part) => part !== '').join('\n');
    throw new Error(`\`${command} ${parameters.join(' ')}\` failed in ${folder}:\n${shown}`);
  }
}
