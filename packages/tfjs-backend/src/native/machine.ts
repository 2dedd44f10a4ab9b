// The machine that builds the addon: what it must have, running its programs without a shell, and the error if something fails.

import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { MmtokError } from '@mmtok/core';
import type { NativeFlavor } from './native-location.js';

/** A step of building the native addon failed; the message says which, why, and what to do. */
export class NativeBuildError extends MmtokError {
  /** What to do about it. */
  declare readonly hint: string;
  /** Whether the machine lacks what the build needs (platform, tools, space, downloads), rather than the build being broken. */
  readonly isUnavailable: boolean;

  constructor(
    problem: string,
    hint: string,
    options: { readonly cause?: unknown; readonly isUnavailable?: boolean } = {},
  ) {
    super('MMTOK_NATIVE_BUILD', problem, { kind: 'environment', hint, cause: options.cause });
    this.isUnavailable = options.isUnavailable ?? false;
  }
}

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

/** What a build needs to know about a machine. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Whether a program starts. */
  readonly has: (command: string, args: readonly string[]) => boolean;
  /** Free bytes on the disk of a folder. */
  readonly freeBytes: (folder: string) => number;
}

/** The current machine. */
const thisMachine: Machine = {
  platform: process.platform,
  arch: process.arch,
  has: isAvailable,
  freeBytes(folder) {
    let existing = folder;
    while (!existsSync(existing)) existing = dirname(existing);
    const { bavail, bsize } = statfsSync(existing);
    return bavail * bsize;
  },
};

const GB = 1e9;

/** Peak disk space of a build, downloads included. */
const NEEDED_BYTES: Readonly<Record<NativeFlavor, number>> = { cpu: 2 * GB, cuda: 8 * GB };

const TOOLS: readonly (readonly [tool: string, command: string, args: readonly string[], hint: string])[] = [
  ['g++', 'g++', ['--version'], 'Install a C++17 compiler, e.g. apt-get install g++'],
  [
    'python3',
    'python3',
    ['--version'],
    'Install Python 3 (only for downloading and unpacking), e.g. apt-get install python3 python3-pip',
  ],
  ['pip', 'python3', ['-m', 'pip', '--version'], 'Install pip, e.g. apt-get install python3-pip'],
  ['npm', 'npm', ['--version'], 'Install npm, which comes with Node'],
];

/** @throws NativeBuildError naming the first thing that is missing and how to install it. */
export function checkMachine(flavor: NativeFlavor, folder: string, machine: Machine = thisMachine): void {
  const { platform, arch } = machine;
  if (platform !== 'linux' || arch !== 'x64') {
    throw new NativeBuildError(
      `The native addon can be built on Linux x64 only, not on ${platform} ${arch}`,
      "On other systems, install @tensorflow/tfjs-node, or use createTfjsBackend({ module: '@tensorflow/tfjs' })",
      { isUnavailable: true },
    );
  }
  for (const [tool, command, args, hint] of TOOLS) {
    if (!machine.has(command, args))
      throw new NativeBuildError(`${tool} was not found or does not start`, hint, { isUnavailable: true });
  }
  const free = machine.freeBytes(folder);
  if (free >= NEEDED_BYTES[flavor]) return;
  const inGB = (bytes: number): string => `${(bytes / GB).toFixed(1)} GB`;
  throw new NativeBuildError(
    `The build needs ${inGB(NEEDED_BYTES[flavor])} of disk space at ${folder}, but only ${inGB(free)} are free`,
    'Free some space, or use a folder on another disk with --dir (and MMTOK_TFJS_NATIVE_DIR)',
    { isUnavailable: true },
  );
}
