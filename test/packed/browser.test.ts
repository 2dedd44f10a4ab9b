// The built packages, bundled for browsers: no Node built-ins, small, and able to run where there is no `process`.

import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';
import { expect, test } from 'vitest';
import { root } from '../workspace.js';

const limitKb = 25;

/** Bundles `contents` as if it were a file of a package that has core and ort-backend installed. */
function bundle(contents: string, options: Pick<BuildOptions, 'external' | 'format' | 'splitting'>) {
  return build({
    stdin: { contents, resolveDir: join(root, 'packages/ort-backend') },
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

test(`core is under ${limitKb} kB and imports nothing but zod`, async () => {
  const { outputFiles, metafile } = await bundle(`export * from '@mmtok/core';`, { external: ['zod'] });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect([...new Set(imported)]).toEqual(['zod']);
  const kb = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length / 1000;
  console.log(
    `@mmtok/core for the browser: ${kb.toFixed(1)} kB minified and gzipped, zod apart (limit ${limitKb})`,
  );
  expect(kb).toBeLessThan(limitKb);
});

test('core runs in a browser-like context', async () => {
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

test('ort-backend bundles for browsers without a trace of Node', async () => {
  const { metafile } = await bundle(`export * from '@mmtok/ort-backend';`, { external: ['zod'] });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect([...new Set(imported)]).toEqual(['zod']);
  expect(Object.keys(metafile.inputs).filter((path) => path.includes('onnxruntime-node'))).toEqual([]);
});
