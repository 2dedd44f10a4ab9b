// The quick start as a user runs it: one install, one import, and no second copy of ONNX Runtime; on other runtimes too.
// Set MMTOK_RUNTIMES=1 to run it on Node 20, 22 and 24, Bun and Deno, whose binaries npm carries (about 400 MB).

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readManifest, root } from '../workspace.js';
import { run } from './run.js';

const packed = inject('packed');
const used = ['@mmtok/core', '@mmtok/onnx', '@mmtok/ort-backend', '@mmtok/transformers', '@mmtok/tiny-vlm'];
const isComplete = process.env.MMTOK_RUNTIMES === '1';

const QUICK_START = `
import { modelPath, samples } from '@mmtok/tiny-vlm';
import { createVlm } from '@mmtok/transformers';

const [{ image, question, answer }] = await samples();
const vlm = await createVlm(modelPath, { keep: 0.1 });
const { text, report } = await vlm.ask({ image, question });
console.log(JSON.stringify({ text, answer, kept: report.keptTokens, of: report.visionTokens }));
await vlm.dispose();
`;

let folder: string;
const install = (...packages: string[]): Promise<string> =>
  run(
    'npm',
    ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', ...packages],
    folder,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mmtok-quick-start-'));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'user', private: true, type: 'module' }),
  );
  await writeFile(join(folder, 'quick-start.js'), QUICK_START);
  const { version } = readManifest(join(root, 'test/node_modules/@huggingface/transformers'));
  // Siblings are given as tarballs, because they are not published yet.
  const tarballs = packed.filter(({ name }) => used.includes(name)).map(({ filename }) => filename);
  await install(`@huggingface/transformers@${version}`, ...tarballs);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every installed folder of a package, however deep. */
async function copiesOf(name: string): Promise<string[]> {
  const entries = await readdir(join(folder, 'node_modules'), { recursive: true });
  return entries.filter((path) => path === name || path.endsWith(`node_modules/${name}`));
}

/** Runs the quick start, which gives the right answer from a tenth of the tokens. */
async function quickStart(command: string, ...options: readonly string[]): Promise<void> {
  const printed = JSON.parse(await run(command, [...options, 'quick-start.js'], folder)) as {
    answer: string;
  };
  expect(printed).toEqual({ text: printed.answer, answer: expect.any(String), kept: 57, of: 576 });
}

test('needs no engine of its own, and there is one copy of ONNX Runtime', async () => {
  await quickStart('node');
  expect(await copiesOf('onnxruntime-node')).toEqual(['onnxruntime-node']);
});

describe.skipIf(!isComplete)('other runtimes', () => {
  test.each([
    ['Node 20', 'node@20'],
    ['Node 22', 'node@22'],
    ['Node 24', 'node@24'],
    ['Bun', 'bun@1'],
    ['Deno', 'deno@2', 'run', '--allow-all', '--no-lock'],
  ])('%s runs the quick start', (_, runtime, ...options) => quickStart('npx', '-y', runtime, ...options));
});
