// The command `mmtok-tfjs-native`: builds the native TensorFlow.js addon.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MmtokError } from '@mmtok/core';
import { buildAddon } from './build-addon.js';
import { NativeBuildError } from './machine.js';
import { nativeRoot } from './native-location.js';

const HELP = `mmtok-tfjs-native: build the native addon of TensorFlow.js against a current TensorFlow (Linux x64; experimental)

Installs the npm package @tensorflow/tfjs-node-gpu into a cache folder without running its install scripts, adds TensorFlow's
libraries from the Python package index (checksums are pinned), compiles the package's addon with g++, and tests it.
Nothing else on the machine is changed. createTfjsBackend() then finds the addon.

  --cuda          build for NVIDIA GPUs (CUDA 12), CUDA libraries included; the driver must be installed
  --system-cuda   with --cuda: use the system's CUDA 12 and cuDNN 9 libraries instead of downloading them
  --dir <folder>  folder for builds (set MMTOK_TFJS_NATIVE_DIR to the same folder so that it is found)
  --force         rebuild
  --help          print this text

Needs g++, python3 with pip, and npm; downloads 0.3 GB and takes 1.3 GB of disk, with --cuda 3.3 GB and 6.5 GB.
Default folder: ${nativeRoot()}`;

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
  // A package manager runs commands in the package's folder and passes on the user's folder.
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
      ? 'createTfjsBackend() finds it.'
      : `Use it with createTfjsBackend({ module: '${path}' }), or set MMTOK_TFJS_NATIVE_DIR=${root}.`,
  );
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const isExpected =
    MmtokError.isInstance(error) || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  console.error(isExpected ? (error as Error).message : error);
  // EX_UNAVAILABLE of sysexits.h tells scripts that this machine cannot build the addon; 1 that something is broken.
  process.exitCode = error instanceof NativeBuildError && error.isUnavailable ? 69 : 1;
});
