// Whether the addon can be built on this machine.

import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { NativeBuildError } from './native-build-error.js';
import type { NativeFlavor } from './native-location.js';
import { isAvailable } from './run-command.js';

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
export const thisMachine: Machine = {
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
