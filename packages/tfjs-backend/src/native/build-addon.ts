// Builds the native addon of @tensorflow/tfjs-node-gpu against a current TensorFlow, in its own cache folder. Nothing outside the
// folder is changed.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkMachine, NativeBuildError, runCommand } from './machine.js';
import {
  buildFolder,
  type NativeFlavor,
  nativeRoot,
  packageFolder,
  readyFile,
  TENSORFLOW_VERSION,
  TFJS_NODE_PACKAGE,
  TFJS_NODE_VERSION,
} from './native-location.js';
import { cudaWheels, fetchWheel, tensorflowWheels, unpackWheel, type Wheel } from './wheels.js';

/** Options of {@link buildAddon}. */
export interface BuildOptions {
  /** @default 'cpu' */
  readonly flavor?: NativeFlavor;
  /** With flavor 'cuda': use the system's CUDA 12 libraries instead of downloading them. @default false */
  readonly systemCuda?: boolean;
  /** Rebuild even if a build exists. @default false */
  readonly force?: boolean;
  /** Folder of all builds. @default nativeRoot() */
  readonly root?: string;
  /** Receives one line per step. @default none */
  readonly tell?: (line: string) => void;
}

/** The addon that {@link buildAddon} built or found. */
export interface BuiltAddon {
  /** The package folder, for `createTfjsBackend({ module })`, which also finds it by default. */
  readonly path: string;
  /** Whether the build already existed. */
  readonly wasBuilt: boolean;
  /** The device of a trial run: `'cpu'` or `'gpu'`. */
  readonly device: string;
}

const HEADERS_PACKAGE = 'node-api-headers';
const HEADERS_VERSION = '1.9.0';

/** SHA-512 of the packages' tarballs, as the npm registry states them. */
const INTEGRITY: Readonly<Record<string, string>> = {
  [TFJS_NODE_PACKAGE]:
    'sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==',
  [HEADERS_PACKAGE]:
    'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
};

const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** The folders of TensorFlow's wheel with the headers that the addon includes. */
const HEADER_FOLDERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/c/'];

/**
 * Builds the addon unless it exists. Takes minutes, mostly for the download.
 * @throws NativeBuildError if the machine lacks something or a step fails. The next call reuses the downloads.
 */
export async function buildAddon(options: BuildOptions = {}): Promise<BuiltAddon> {
  const { flavor = 'cpu', systemCuda = false, force = false, root = nativeRoot(), tell = () => {} } = options;
  const folder = buildFolder(root, flavor);
  const path = packageFolder(folder);
  if (!force && existsSync(readyFile(folder))) {
    tell(`Already built: ${path}`);
    return { path, wasBuilt: true, device: tryAddon(path) };
  }

  checkMachine(flavor, root);
  const downloads = join(root, 'downloads');
  mkdirSync(downloads, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);

  tell(`1/5  npm package ${TFJS_NODE_PACKAGE} ${TFJS_NODE_VERSION}, without its install scripts`);
  installPackages(folder);

  const wheel = tensorflowWheels[flavor];
  tell(
    `2/5  TensorFlow ${TENSORFLOW_VERSION}: libraries and C headers from the Python package ${wheel.package}`,
  );
  const libraries = join(path, 'deps', 'lib');
  await extractTensorFlow(wheel, downloads, folder, libraries);
  if (flavor === 'cuda' && !systemCuda) await extractCuda(downloads, join(path, 'deps'), tell);

  tell('3/5  compiling the addon with g++');
  compile(folder, path, libraries);

  tell('4/5  replacing functions that Node 23 removed');
  modernize(path);

  tell('5/5  testing it');
  const device = tryAddon(path);
  const record = { tensorflow: wheel, tfjs: TFJS_NODE_VERSION, flavor, systemCuda };
  writeFileSync(readyFile(folder), `${JSON.stringify(record, undefined, 2)}\n`);
  rmSync(downloads, { recursive: true, force: true });
  return { path, wasBuilt: false, device };
}

/** Installs tfjs-node-gpu and the headers of Node's native interface; npm checks them against the registry. */
function installPackages(folder: string): void {
  const dependencies = { [TFJS_NODE_PACKAGE]: TFJS_NODE_VERSION, [HEADERS_PACKAGE]: HEADERS_VERSION };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  runCommand(
    'Installing the npm packages',
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: folder,
      hint: 'Check the connection and the registry that npm uses (npm config get registry)',
      isDownload: true,
    },
  );
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly integrity?: string } | undefined>>;
  };
  for (const [name, expected] of Object.entries(INTEGRITY)) {
    const given = lock.packages[`node_modules/${name}`]?.integrity;
    if (given === expected) continue;
    throw new NativeBuildError(
      `The checksum of the npm package ${name} is wrong: expected ${expected}, got ${given}`,
      'The registry that npm uses serves a different file; set it to https://registry.npmjs.org',
    );
  }
}

async function extractTensorFlow(
  wheel: Wheel,
  downloads: string,
  folder: string,
  libraries: string,
): Promise<void> {
  const file = await fetchWheel(wheel, downloads);
  const unpacked = join(folder, 'unpacked');
  unpackWheel(file, unpacked, [
    ...LIBRARIES.map((library) => `tensorflow/${library}`),
    ...HEADER_FOLDERS.map((each) => `tensorflow/include/${each}`),
  ]);
  mkdirSync(libraries, { recursive: true });
  for (const library of LIBRARIES)
    renameSync(join(unpacked, 'tensorflow', library), join(libraries, library));
  // The name that tfjs-node itself gives the library, for tools that look for it.
  symlinkSync('libtensorflow_cc.so.2', join(libraries, 'libtensorflow.so.2'));
}

/** Puts the CUDA libraries where TensorFlow's own search path finds them: `../nvidia` next to its libraries. */
async function extractCuda(downloads: string, target: string, tell: (line: string) => void): Promise<void> {
  for (const wheel of cudaWheels) {
    tell(`     ${wheel.package} ${wheel.version}`);
    const file = await fetchWheel(wheel, downloads);
    unpackWheel(file, target, ['nvidia/']);
    rmSync(file);
  }
}

function compile(folder: string, path: string, libraries: string): void {
  const output = join(path, 'lib', 'napi-v8');
  mkdirSync(output, { recursive: true });
  const headers = [
    path,
    join(folder, 'unpacked', 'tensorflow', 'include'),
    join(folder, 'node_modules', HEADERS_PACKAGE, 'include'),
  ];
  runCommand(
    'Compiling the addon',
    'g++',
    [
      ...['-std=c++17', '-O2', '-shared', '-fPIC', '-DNAPI_VERSION=8'],
      ...headers.map((header) => `-I${header}`),
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((source) => join(path, 'binding', source)),
      ...['-o', join(output, 'tfjs_binding.node'), `-L${libraries}`],
      ...LIBRARIES.map((library) => `-l:${library}`),
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
    ],
    { hint: 'g++ 9 or newer is required' },
  );
  rmSync(join(folder, 'unpacked'), { recursive: true });
}

/** Replaces the package's calls of `util.isNullOrUndefined` and `util.isArray`, which Node 23 removed. */
function modernize(path: string): void {
  for (const file of ['nodejs_kernel_backend.js', 'kernels/TopK.js']) {
    const full = join(path, 'dist', file);
    const source = readFileSync(full, 'utf8');
    const fixed = source
      .replaceAll('(0, util_1.isNullOrUndefined)(', '(function (x) { return x == null; })(')
      .replaceAll('(0, util_1.isArray)(', 'Array.isArray(');
    if (fixed.includes('util_1.is')) {
      throw new NativeBuildError(
        `${file} of ${TFJS_NODE_PACKAGE} ${TFJS_NODE_VERSION} is not as expected`,
        'Report this with your Node version',
      );
    }
    writeFileSync(full, fixed);
  }
}

const TRIAL = `
const tf = require(process.argv[1]);
const product = tf.matMul(tf.ones([3, 5]), tf.ones([7, 5]), false, true).sum().dataSync()[0];
if (tf.getBackend() !== 'tensorflow' || product !== 105) throw new Error('the product is ' + product + ' instead of 105');
console.log(tf.backend().isUsingGpuDevice ? 'gpu' : 'cpu');
`;

/**
 * Loads the addon of a package folder in a separate process and computes something with it.
 * @returns its device, `'cpu'` or `'gpu'`.
 * @throws NativeBuildError if it does not load or compute.
 */
function tryAddon(path: string): string {
  const output = runCommand('Trying the addon', process.execPath, ['-e', TRIAL, path], {
    hint: 'Rebuild it with --force',
  });
  return output.trim().split('\n').at(-1) as string;
}
