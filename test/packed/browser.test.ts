// The packed packages, bundled for browsers by esbuild, Vite and webpack: no Node built-ins, no stubs, no warnings, small,
// one copy of ONNX Runtime, and able to run where there is no `process`.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { layOut } from './lay-out.js';

/** What runs in browsers, and how many kB of it minified and gzipped there may be: with siblings, without zod and transformers.js. */
const limits = {
  '@mmtok/core': 25,
  '@mmtok/ort-backend': 15,
  '@mmtok/tfjs-backend': 10,
  '@mmtok/tiny-vlm': 8,
  '@mmtok/agent': 89,
  '@mmtok/transformers': 87,
} as const;
const names = Object.keys(limits) as (keyof typeof limits)[];
const external = ['zod', '@huggingface/transformers'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mmtok-browser-'));
  await layOut(folder, inject('packed'), names);
  // Everything, in use, so that nothing is shaken off.
  const uses = names.map((name, i) => `import * as p${i} from '${name}';\nconsole.log(p${i});\n`);
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'app', private: true, type: 'module' }),
  );
  await writeFile(join(folder, 'app.js'), uses.join(''));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Bundles `contents` as if it were a file of an application that has the packages installed. */
function bundle(contents: string, options: Pick<BuildOptions, 'external' | 'format' | 'loader'> = {}) {
  return build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    outdir: 'out',
    write: false,
    metafile: true,
    logLevel: 'silent',
    ...options,
  });
}

/** What a bundle leaves to be imported. */
function importedBy({ outputs }: Metafile): readonly string[] {
  return [...new Set(Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path)))];
}

/** Builds of ONNX Runtime that went into a bundle. */
const runtimesIn = (modules: readonly string[]): readonly string[] =>
  modules.filter((path) => /onnxruntime-(web|node)[\\/]dist[\\/][^\\/]*\.m?js$/.test(path));

describe('esbuild', () => {
  test.each(Object.entries(limits))('bundles %s without Node, in less than %d kB', async (name, limit) => {
    const { outputFiles, metafile, warnings } = await bundle(`export * from '${name}';`, { external });
    expect(warnings).toEqual([]);
    expect(importedBy(metafile).filter((path) => !external.includes(path))).toEqual([]);
    const kb =
      outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0) / 1000;
    console.log(`${name} for the browser: ${kb.toFixed(1)} kB minified and gzipped (limit ${limit})`);
    expect(kb).toBeLessThan(limit);
  });

  test('takes in one copy of ONNX Runtime, that of transformers.js', async () => {
    const contents = `
      import { AutoModel } from '@huggingface/transformers';
      import { prune } from '@mmtok/transformers';
      import { createOrtBackend } from '@mmtok/ort-backend';
      console.log(AutoModel, prune, createOrtBackend);`;
    const { metafile } = await bundle(contents, { loader: { '.wasm': 'empty' } });
    expect(runtimesIn(Object.keys(metafile.inputs))).toHaveLength(1);
  });

  test('gives code that runs in a browser-like context', async () => {
    const contents = `
      import { createReferenceBackend, selectTokens } from '@mmtok/core';
      const vision = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]];
      const backend = createReferenceBackend();
      selectTokens({ backend, vision, text: [[0, 0.1, 1]], budget: { tokens: 3 } }).then(
        ({ indices }) => done(indices.join()),
        (error) => done(String(error.stack)),
      );`;
    const { outputFiles } = await bundle(contents, { format: 'iife' });
    const result = await new Promise<string>((done) => {
      // What browsers have beside the language itself; no process, no require, no Buffer.
      const browser = createContext({ done, performance, atob, btoa, TextDecoder, TextEncoder, console });
      runInContext(outputFiles[0]?.text ?? '', browser);
    });
    expect(result).toBe('0,2,4');
  });
});

test('Vite bundles all of them without a warning, with one file of WebAssembly', async () => {
  const vite = await import('vite');
  const warnings: string[] = [];
  const logger = vite.createLogger('warn');
  const warn = (message: string): void => void warnings.push(message);
  await vite.build({
    root: folder,
    configFile: false,
    customLogger: { ...logger, warn, warnOnce: warn, error: warn },
    build: {
      outDir: 'vite-out',
      minify: false,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: {
        input: join(folder, 'app.js'),
        onLog: (level, log) => void (level === 'warn' && warn(log.message)),
      },
    },
  });
  expect(warnings).toEqual([]);
  const files = await readdir(join(folder, 'vite-out'), { recursive: true });
  expect(files.filter((file) => file.endsWith('.wasm'))).toHaveLength(1);
});

test('webpack bundles all of them without a warning, with one copy of ONNX Runtime', async () => {
  const { default: webpack } = await import('webpack');
  const compiler = webpack({
    mode: 'production',
    context: folder,
    entry: './app.js',
    output: { path: join(folder, 'webpack-out') },
    optimization: { minimize: false },
    performance: false,
  });
  const stats = await new Promise<import('webpack').StatsCompilation>((resolve, reject) => {
    compiler.run((error, result) => {
      compiler.close(() =>
        error
          ? reject(error)
          : resolve(
              result?.toJson({
                all: false,
                errors: true,
                warnings: true,
                modules: true,
                nestedModules: true,
              }) ?? {},
            ),
      );
    });
  });
  const complaints = [...(stats.errors ?? []), ...(stats.warnings ?? [])];
  expect(complaints.map(({ moduleName, message }) => `${moduleName}: ${message.split('\n', 1)}`)).toEqual([]);
  const modules = (stats.modules ?? []).flatMap((each) => [each, ...(each.modules ?? [])]);
  expect(new Set(runtimesIn(modules.map(({ name }) => name ?? ''))).size).toBe(1);
});
