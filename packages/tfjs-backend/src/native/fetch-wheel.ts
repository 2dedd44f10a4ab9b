// Downloads a wheel from the Python package index and extracts files from it. Nothing is installed into Python.

import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NativeBuildError } from './native-build-error.js';
import { runCommand } from './run-command.js';
import type { Wheel } from './wheels.js';

/** Wheels for CPython 3.12, whatever Python is installed: only their C libraries are used. */
const TARGET = ['--python-version=3.12', '--implementation=cp', '--abi=cp312', '--abi=none'];
const PLATFORMS = ['2_27', '2_25', '2_17', '2_12'].map((glibc) => `--platform=manylinux_${glibc}_x86_64`);
const OLD_PLATFORMS = ['manylinux2014_x86_64', 'manylinux2010_x86_64'].map((name) => `--platform=${name}`);

/**
 * Downloads a wheel into a folder, unless it is already there, and checks its SHA-256.
 * @returns the path of the file.
 * @throws NativeBuildError if the download fails or the checksum is wrong.
 */
export async function fetchWheel(wheel: Wheel, folder: string): Promise<string> {
  const known = findWheel(wheel, folder);
  if (known !== undefined && (await sha256Of(known)) === wheel.sha256) return known;
  const requirement = `${wheel.package}==${wheel.version}`;
  runCommand(
    `Downloading ${requirement}`,
    'python3',
    [
      ...[
        '-m',
        'pip',
        'download',
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--only-binary=:all:',
      ],
      ...[...TARGET, ...PLATFORMS, ...OLD_PLATFORMS, '--dest', folder, requirement],
    ],
    { hint: 'Check the connection and the index that pip uses (pip config list)', isDownload: true },
  );
  const path = findWheel(wheel, folder);
  const sha256 = path === undefined ? 'no file' : await sha256Of(path);
  if (path !== undefined && sha256 === wheel.sha256) return path;
  if (path !== undefined) rmSync(path);
  throw new NativeBuildError(
    `The checksum of ${requirement} is wrong: expected SHA-256 ${wheel.sha256}, got ${sha256}`,
    'The file was deleted unused. Try again; if the error persists, the index that pip uses serves a different file',
  );
}

function findWheel({ package: name, version }: Wheel, folder: string): string | undefined {
  const start = `${name.replaceAll('-', '_')}-${version}-`;
  const file = readdirSync(folder).find((each) => each.startsWith(start) && each.endsWith('.whl'));
  return file === undefined ? undefined : join(folder, file);
}

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

const UNPACK = `
import sys, zipfile
wheel, target, *prefixes = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        if entry.filename.startswith(tuple(prefixes)) and not entry.is_dir():
            archive.extract(entry, target)
`;

/** Unpacks the files of a wheel whose paths begin with one of `prefixes` into a folder. */
export function unpackWheel(wheel: string, folder: string, prefixes: readonly string[]): void {
  runCommand('Unpacking', 'python3', ['-c', UNPACK, wheel, folder, ...prefixes], {
    hint: 'Check the free disk space and run it again',
  });
}
