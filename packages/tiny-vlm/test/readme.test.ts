// Runs the README's examples as printed, with the package's sources.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { samples } from '../src/node.js';

const scratch = new URL('../.cache/readme/', import.meta.url);
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const [first, plain, , drawn] = [...readme.matchAll(/^```(?:js|ts)\n([\s\S]*?)^```$/gm)].map(
  ([, code = '']) => code,
) as [string, string, string, string];

const printed: unknown[][] = [];
beforeEach(async () => {
  printed.length = 0;
  vi.spyOn(console, 'log').mockImplementation((...words) => void printed.push(words));
  await mkdir(scratch, { recursive: true });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(scratch, { recursive: true, force: true });
});

test('the first example answers every sample', async () => {
  await run('first', first);
  const expected = (await samples()).map(({ question, answer }) => [question, answer, `(${answer})`]);
  expect(printed).toEqual(expected);
});

test('the plain transformers.js example prints what its comment says', async () => {
  await run('plain', plain);
  expect(printed).toHaveLength(1);
  expect(plain.trimEnd().endsWith(`// ${printed[0]![0]}`)).toBe(true);
  const [sample] = await samples();
  expect(printed[0]![0]).toMatch(new RegExp(` answer ${sample!.answer}$`));
});

test('the same example works with the small model', async () => {
  await run('small', plain.replaceAll('modelPath', 'smallModelPath'));
  expect(printed[0]![0]).toMatch(/^question .+ answer [a-z ]+$/);
});

test('the example of a scene of your own prints what its comment says', async () => {
  await run('drawn', drawn);
  expect(drawn.trimEnd().endsWith(`// ${printed[0]![0]}`)).toBe(true);
});

async function run(name: string, code: string): Promise<void> {
  const file = new URL(`${name}.ts`, scratch);
  await writeFile(file, code.replace("'@mmtok/tiny-vlm'", "'../../src/node.js'"));
  await import(file.href);
}
