// The README's examples are these files: type-checked, quoted verbatim, and run on the embedded model.

import { readdir, readFile } from 'node:fs/promises';
import { modelPath, samples } from '@mmtok/tiny-vlm';
import { transform } from 'esbuild';
import { describe, expect, it, vi } from 'vitest';
import * as transformers from '../../src/index.js';

const read = (file: string): Promise<string> => readFile(new URL(file, import.meta.url), 'utf8');
const examples = (await readdir(new URL('.', import.meta.url))).filter((file) => !file.includes('.test.'));
const readme = await read('../../README.md');

/** The modules that examples import, with the embedded model for every other one. */
const modules = {
  '@mmtok/transformers': {
    ...transformers,
    createVlm: (_: string, { dtype: __, ...options }: transformers.CreateVlmOptions) =>
      transformers.createVlm(modelPath, options),
    loadVlm: (_: string, { dtype: __, ...options }: transformers.LoadVlmOptions) =>
      transformers.loadVlm(modelPath, options),
  },
};

type Run = (given: typeof modules, console: { log(...values: unknown[]): void }) => Promise<void>;

/** A module as a function of what it imports. */
async function runnable(typed: string): Promise<Run> {
  const { code } = await transform(typed, { loader: 'ts', format: 'esm' });
  const body = code.replaceAll(/^import (\{[^}]*\}) from ("[^"]*");$/gm, 'const $1 = modules[$2];');
  const AsyncFunction = (async () => undefined).constructor as new (...names: string[]) => Run;
  return new AsyncFunction('modules', 'console', body);
}

describe.each(examples)('%s', (file) => {
  it('is quoted in the README', async () => {
    expect(readme).toContain(`\`\`\`ts\n${await read(file)}\`\`\``);
  });

  it('runs', async () => {
    const [sample] = await samples();
    const code = (await read(file)).replaceAll("'table.jpg'", JSON.stringify(sample?.image));
    const log = vi.fn();
    await (await runnable(code))(modules, { log });
    const [printed] = log.mock.calls as [unknown[]];
    expect(printed[0]).not.toBe('');
    if (file === 'quick-start.ts') expect(log.mock.calls).toEqual([[expect.any(String)]]);
  });
});
