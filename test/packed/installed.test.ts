// The packages as a user gets them: installed by npm from the tarballs, in a folder outside the repository.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readManifest, root } from '../workspace.js';
import { run } from './run.js';

const packed = inject('packed');
const tarball = (name: string): string => packed.find((each) => each.name === name)?.filename ?? name;

/** Installs packages by npm: no install scripts, no network where npm's cache has what is needed. */
const install = (folder: string, packages: readonly string[]): Promise<string> =>
  run(
    'npm',
    ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', ...packages],
    folder,
  );

/** Runs a program that prints JSON. */
async function print(folder: string, file: string, code: string): Promise<unknown> {
  await writeFile(join(folder, file), code);
  return JSON.parse(await run('node', [file], folder));
}

/** Five vision tokens: two alike, two alike, one apart; the question looks like the last. */
const features = `
const vision = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]];
const text = [[0, 0.1, 1]];
const options = { vision, text, budget: { tokens: 3 } };
`;
const print3 =
  'selectTokens({ backend, ...options }).then(({ indices }) => console.log(JSON.stringify(indices)));';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mmtok-installed-'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('core alone', () => {
  beforeAll(() => install(folder, [tarball('@mmtok/core')]));

  test('brings zod and no engine', async () => {
    const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')) as {
      packages: Readonly<Record<string, unknown>>;
    };
    const installed = Object.keys(lock.packages).filter((path) => path !== '');
    expect(installed.sort()).toEqual(['node_modules/@mmtok/core', 'node_modules/zod']);
  });

  test('selects tokens, imported', async () => {
    const code = `import { createReferenceBackend, selectTokens } from '@mmtok/core';
      const backend = createReferenceBackend();${features}${print3}`;
    expect(await print(folder, 'select.mjs', code)).toEqual([0, 2, 4]);
  });

  test('selects tokens, required from CommonJS', async () => {
    const code = `const { createReferenceBackend, selectTokens } = require('@mmtok/core');
      const backend = createReferenceBackend();${features}${print3}`;
    expect(await print(folder, 'select.cjs', code)).toEqual([0, 2, 4]);
  });
});

describe('all packages', () => {
  beforeAll(async () => {
    const engine = (name: string): string =>
      `${name}@${readManifest(join(root, 'examples/node_modules', name)).version}`;
    await install(folder, [...packed.map(({ filename }) => filename), engine('onnxruntime-node')]);
  });

  test('select tokens on ONNX Runtime', async () => {
    const code = `import { selectTokens } from '@mmtok/core';
      import { createOrtBackend } from '@mmtok/ort-backend';
      const backend = await createOrtBackend();${features}${print3}`;
    expect(await print(folder, 'select-ort.mjs', code)).toEqual([0, 2, 4]);
  });

  test.each(packed.map(({ name }) => name))('%s can be imported', async (name) => {
    const code = `import('${name}').then((all) => console.log(JSON.stringify(Object.keys(all))));`;
    expect(await print(folder, 'import.mjs', code)).not.toEqual([]);
  });

  test('the command line answers a question about an image', async () => {
    const samples = join(folder, 'node_modules/@mmtok/tiny-vlm/samples');
    const [line = ''] = (await readFile(join(samples, 'questions.jsonl'), 'utf8')).split('\n');
    const { image, question, answer } = JSON.parse(line) as Record<'image' | 'question' | 'answer', string>;
    const command = ['mmtok', 'ask', join(samples, image), question, '--keep', '10%', '--json'];
    expect(JSON.parse(await run('npx', command, folder))).toMatchObject({ answer });
  });

  test('the server answers a chat request, and its deployment files come along', async () => {
    const code = `import { readFileSync } from 'node:fs';
      import { samples, smallModelPath } from '@mmtok/tiny-vlm';
      import { serveModel } from '@mmtok/serve';
      const server = await serveModel({ model: smallModelPath, servedName: 'small', port: 0, log: () => undefined });
      const [{ image, question }] = await samples();
      const url = 'data:image/png;base64,' + readFileSync(image).toString('base64');
      const content = [{ type: 'image_url', image_url: { url } }, { type: 'text', text: question }];
      const response = await fetch(server.url + '/v1/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content }], mmtok: { keep: 16 } }),
      });
      const { mmtok, choices } = await response.json();
      await server.close();
      console.log(JSON.stringify({ kept: mmtok.keptTokens, answer: choices[0].message.content !== '' }));`;
    expect(await print(folder, 'serve.mjs', code)).toEqual({ kept: 16, answer: true });
    const files = packed.find(({ name }) => name === '@mmtok/serve')?.files ?? [];
    for (const file of ['Containerfile', 'compose.yaml', 'kubernetes/deployment.yaml'])
      expect(files).toContain(`deploy/${file}`);
  });

  test('the command line measures on the embedded benchmark', async () => {
    const command = ['mmtok', 'eval', 'shapes', '--limit', '2', '--methods', 'mmtok', '--keep', '26'];
    expect(await run('npx', [...command, '--out', 'results'], folder)).toMatch(/mmtok/);
  });
});
