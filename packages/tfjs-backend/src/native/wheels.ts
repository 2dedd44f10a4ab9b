// The wheels of the Python package index that provide TensorFlow, pinned by checksum: downloads them and extracts files. Nothing is
// installed into Python.

import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NativeBuildError, runCommand } from './machine.js';
import { type NativeFlavor, TENSORFLOW_VERSION } from './native-location.js';

/** A wheel (a zip file of the Python package index). */
export interface Wheel {
  readonly package: string;
  readonly version: string;
  /** SHA-256 of the file, as the package index states it. */
  readonly sha256: string;
}

/** TensorFlow itself: source of two libraries and the headers of the C interface. */
export const tensorflowWheels: Readonly<Record<NativeFlavor, Wheel>> = {
  cpu: {
    package: 'tensorflow-cpu',
    version: TENSORFLOW_VERSION,
    sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
  },
  cuda: {
    package: 'tensorflow',
    version: TENSORFLOW_VERSION,
    sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
  },
};

/** The CUDA 12 libraries TensorFlow opens on a machine with an NVIDIA GPU (its extra `and-cuda`, without the compiler). */
export const cudaWheels: readonly Wheel[] = [
  ['nvidia-cublas-cu12', '12.9.3.13', 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72'],
  ['nvidia-cuda-cupti-cu12', '12.9.79', '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f'],
  ['nvidia-cuda-nvrtc-cu12', '12.9.86', '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4'],
  ['nvidia-cuda-runtime-cu12', '12.9.79', '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3'],
  ['nvidia-cudnn-cu12', '9.28.0.42', '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375'],
  ['nvidia-cufft-cu12', '11.4.1.4', 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28'],
  ['nvidia-curand-cu12', '10.3.10.19', '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e'],
  ['nvidia-cusolver-cu12', '11.7.5.82', '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88'],
  ['nvidia-cusparse-cu12', '12.5.10.65', '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78'],
  ['nvidia-nccl-cu12', '2.32.3', 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c'],
  ['nvidia-nvjitlink-cu12', '12.9.86', 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9'],
].map(([name, version, sha256]) => ({ package: name, version, sha256 }) as Wheel);

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
