// The command `mmtok-tfjs-native`: builds the native TensorFlow.js addon. Reads arguments and prints; see build-addon.ts.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MmtokError } from '@mmtok/core';
import { buildAddon } from './build-addon.js';
import { NativeBuildError } from './native-build-error.js';
import { nativeRoot } from './native-location.js';

const HELP = `mmtok-tfjs-native: build the native addon of TensorFlow.js against a current TensorFlow (Linux x64)

It installs the npm package @tensorflow/tfjs-node-gpu into a cache folder, without running its install scripts, puts
TensorFlow's libraries from the Python package index beside it (checksums are pinned), compiles the package's addon
with g++, and tries it. Nothing else on the machine is changed. createTfjsBackend() then finds it by itself.

  --cuda          build for NVIDIA GPUs (CUDA 12), CUDA libraries included; the driver must be installed
  --system-cuda   with --cuda: use the CUDA 12 and cuDNN 9 libraries of the system instead of downloading them
  --dir <folder>  where to keep builds (set MMTOK_TFJS_NATIVE_DIR to the same folder to have it found)
  --force         build anew
  --help          this text

Needs g++, python3 with pip, npm; downloads 0.3 GB and takes 1.3 GB of disk, with --cuda 3.3 GB and 6.5 GB.
Without --dir it goes to: ${nativeRoot()}`;

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cuda: { type: 'boolean', default: false },
      'system-cuda': { type: 'boolean', default: false },
      dir: { type: 'string' },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  // A package manager runs commands in the package's folder and tells where the user was.
  const root = values.dir === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', values.dir);
  const { path, wasBuilt, device } = await buildAddon({
    flavor: values.cuda ? 'cuda' : 'cpu',
    systemCuda: values['system-cuda'],
    force: values.force,
    ...(root === undefined ? {} : { root }),
    tell: (line) => console.log(line),
  });
  console.log(`${wasBuilt ? 'Works' : 'Done'}: it computes on the ${device.toUpperCase()}.`);
  console.log(
    root === undefined
      ? 'createTfjsBackend() finds it by itself.'
      : `Use it with createTfjsBackend({ module: '${path}' }), or set MMTOK_TFJS_NATIVE_DIR=${root}.`,
  );
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const isExpected =
    MmtokError.isInstance(error) || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  console.error(isExpected ? (error as Error).message : error);
  // EX_UNAVAILABLE of sysexits.h tells scripts that this machine cannot have the addon; 1, that something is broken.
  process.exitCode = error instanceof NativeBuildError && error.isUnavailable ? 69 : 1;
});
