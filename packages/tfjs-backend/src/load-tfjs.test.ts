import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadTfjs } from './load-tfjs.js';
import { buildFolder, packageFolder, readyFile } from './native/native-location.js';
import { loadTfjs as loadOutsideNode } from './no-tfjs.js';
import type { Tfjs } from './tfjs.js';
import { createTfjsBackend } from './tfjs-backend.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmtok-tfjs-'));
  vi.stubEnv('MMTOK_TFJS_NATIVE_DIR', join(folder, 'native'));
  vi.stubEnv('MMTOK_TFJS_MODULE', '');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Writes a package that stands in for TensorFlow.js, and returns its folder. */
function fakePackage(source: string, path: string = join(folder, 'fake')): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: 'fake', main: 'main.js' }));
  writeFileSync(join(path, 'main.js'), source);
  return path;
}

const WORKING = `module.exports = { version: { 'tfjs-core': '9.9.9' }, tidy() {}, tensor() {}, matMul() {}, ready() {} };`;
const load = (module?: string, tfBackend?: string): ReturnType<typeof loadTfjs> =>
  loadTfjs({ module, tfBackend });

describe('loadTfjs', () => {
  it('takes plain tfjs if no native engine is installed', () => {
    expect(load().info).toEqual({ module: '@tensorflow/tfjs', version: '4.22.0' });
  });

  it('takes a module by its path, or by the environment variable', () => {
    const path = fakePackage(WORKING);
    expect(load(path).info).toEqual({ module: path, version: '9.9.9' });
    vi.stubEnv('MMTOK_TFJS_MODULE', path);
    expect(load().info.module).toBe(path);
  });

  it('prefers an addon that mmtok-tfjs-native has finished, the CUDA one first', () => {
    const build = (flavor: 'cpu' | 'cuda'): string => {
      const target = buildFolder(join(folder, 'native'), flavor);
      fakePackage(WORKING, packageFolder(target));
      return target;
    };
    const cpu = build('cpu');
    expect(load().info.module).toBe('@tensorflow/tfjs');
    writeFileSync(readyFile(cpu), '{}');
    expect(load().info.module).toBe(packageFolder(cpu));
    expect(load(undefined, 'tensorflow').info.module).toBe(packageFolder(cpu));
    expect(load(undefined, 'cpu').info.module).toBe('@tensorflow/tfjs');
    const cuda = build('cuda');
    writeFileSync(readyFile(cuda), '{}');
    expect(load().info.module).toBe(packageFolder(cuda));
  });

  it('says what to install if nothing is installed', () => {
    expect(() => load('@tensorflow/not-there')).toThrow(
      /no TensorFlow\.js was found \(looked for @tensorflow\/not-there\).*npm install @tensorflow\/tfjs/,
    );
    expect(() => load(undefined, 'tensorflow')).toThrow(
      /looked for @tensorflow\/tfjs-node-gpu, @tensorflow\/tfjs-node/,
    );
  });

  it('explains a missing native addon in one line, with the command that builds it', () => {
    const path = fakePackage(
      `throw new Error("The Node.js native addon module (tfjs_binding.node) can not be found at path: /x. \\nPlease run …");`,
    );
    expect(() => load(path)).toThrow(/installed without its native addon.*mmtok-tfjs-native/);
    expect(() => load(path)).toThrow(expect.objectContaining({ code: 'MMTOK_BACKEND_UNAVAILABLE' }));
    expect(() => load(path)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('\n') }));
  });

  it('reports other causes, first line only', () => {
    const path = fakePackage(
      `throw new Error('libcudart.so.11.0: cannot open shared object file\\n  at x');`,
    );
    expect(() => load(path)).toThrow(
      /does not compute: libcudart\.so\.11\.0: cannot open shared object file\. Reinstall/,
    );
  });

  it('rejects a module that is not TensorFlow.js', () => {
    expect(() => load(fakePackage('module.exports = {};'))).toThrow(/is not a TensorFlow\.js module/);
  });
});

describe('createTfjsBackend', () => {
  it('detects an engine that loads but fails on this version of Node', async () => {
    const real = load('@tensorflow/tfjs').tf;
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const broken: Tfjs = {
      ...real,
      maximum: () => {
        throw new TypeError('(0 , util_1.isNullOrUndefined) is not a function');
      },
    };
    await expect(createTfjsBackend({ tf: broken })).rejects.toThrow(
      /does not work on Node v\d+.*functions that Node 23 removed.*Use Node 22 or older/,
    );
  });

  it.each([
    [
      'wasm',
      { setBackend: () => new Promise<boolean>(() => {}) },
      "set('WASM_HAS_MULTITHREAD_SUPPORT', false)",
    ],
    [undefined, { getBackend: () => 'webgl', ready: () => new Promise<void>(() => {}) }, 'timeoutMs'],
  ])('is an error if the backend %s is never ready', async (tfBackend, never, remedy) => {
    const tf: Tfjs = { ...load('@tensorflow/tfjs').tf, ...never };
    const creating = createTfjsBackend({ tf, timeoutMs: 50, ...(tfBackend !== undefined && { tfBackend }) });
    await expect(creating).rejects.toMatchObject({
      code: 'MMTOK_BACKEND_UNAVAILABLE',
      message: expect.stringContaining(remedy),
    });
    // Later calls do not wait for it.
    const next = await createTfjsBackend({ tf: load('@tensorflow/tfjs').tf, tfBackend: 'cpu' });
    expect(next.device).toBe('cpu');
  });

  it('asks for the module outside Node', () => {
    expect(loadOutsideNode).toThrow(expect.objectContaining({ code: 'MMTOK_BACKEND_UNAVAILABLE' }));
    expect(loadOutsideNode).toThrow('createTfjsBackend({ tf:');
  });
});
