// Runs a probe in a process of its own: native libraries that do not fit may write where they like, or crash.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ProbeResult, type ProbeTarget, resultSchema } from './probe.js';

const PROGRAM = fileURLToPath(new URL('./probe-process.js', import.meta.url));
const TIMEOUT_MS = 60_000;

/** Tries an engine without risk to this process. */
export function isolatedProbe(target: ProbeTarget): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const args = [PROGRAM, JSON.stringify(target)];
    execFile(process.execPath, args, { timeout: TIMEOUT_MS }, (error, stdout) => {
      resolve(readResult(stdout) ?? { works: false, problem: crash(error), hint: '' });
    });
  });
}

function readResult(stdout: string): ProbeResult | undefined {
  try {
    return resultSchema.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
  } catch {
    return undefined;
  }
}

function crash(error: { readonly signal?: NodeJS.Signals | null; readonly killed?: boolean } | null): string {
  if (error?.killed) return `no answer within ${TIMEOUT_MS / 1000} s`;
  return `the process ended ${error?.signal ? `by ${error.signal}` : 'without a result'}; its native library does not work here`;
}
