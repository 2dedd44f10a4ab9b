import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { float32 } from '@mmtok/core/backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporary } from '../../../../../vitest.temporary.js';
import { loadsInTime, namedMethods, runnableMethods } from './methods.js';

let folder: string;
beforeAll(async () => {
  folder = temporary();
});

let modules = 0;

/** Writes a module with this default export, and returns its methods. */
async function namedIn(exported: string, ...others: readonly string[]) {
  const name = `./own-${modules++}.mjs`;
  await writeFile(join(folder, name), `export default ${exported};`);
  return namedMethods([...others, name], folder, false);
}

describe('methods of a module', () => {
  it('are checked even if not made with defineMethod', async () => {
    const { named } = await namedIn(
      "{ name: 'same', title: 'Same', source: 'x', needs: [], select: async (_, { tokens }) => Array(tokens).fill(3) }",
    );
    const vision = float32(new Float32Array(12).fill(1), [6, 2]);
    await expect(named[0]!.select({ vision }, { tokens: 4 })).rejects.toThrow(
      "Method 'same': it returned the index 3 twice",
    );
  });

  it('keep their agent', async () => {
    const definition = "{ name: 'own', source: 'x', agent: 'oracle', select: () => [] }";
    expect((await namedIn(definition)).named).toMatchObject([{ name: 'own', title: 'own', agent: 'oracle' }]);
  });

  it.each([
    ["{ name: 'own', select: () => [] }", /own-\d+\.mjs': Invalid definition of a method: source: /],
    ["{ name: 'My Own', source: 'x', select: () => [] }", /expected kebab-case/],
    ['[]', /its default export is not a method/],
    ['null', /its default export is not a method/],
  ])('must be complete: %s', async (exported, problem) => {
    await expect(namedIn(exported)).rejects.toMatchObject({
      code: 'MMTOK_INPUT_FILE',
      message: expect.stringMatching(problem),
    });
  });

  it.each([['random'], ['all']])('may not share a name with another method: %s', async (other) => {
    const own = "{ name: 'random', source: 'x', select: () => [] }";
    await expect(namedIn(own, other)).rejects.toMatchObject({
      code: 'MMTOK_USAGE',
      message: expect.stringContaining("two methods are named 'random'"),
    });
    await expect(namedIn(`[${own}, ${own}]`)).rejects.toMatchObject({ code: 'MMTOK_USAGE' });
    expect((await namedIn(own)).named).toHaveLength(1);
  });
});

it('a method that is part of all may also be named', async () => {
  const methods = await namedMethods(['random', 'all'], folder, false);
  const names = runnableMethods(methods, { name: 'any' }, false).methods.map(({ name }) => name);
  expect(names[0]).toBe('random');
  expect(new Set(names).size).toBe(names.length);
});

const moduleOf = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

it('accepts a module that loads', async () => {
  await expect(loadsInTime(moduleOf('export default 1'))).resolves.toBeUndefined();
});

it.each([
  ['computes forever', 'for (;;);'],
  ['waits forever', 'setInterval(() => {}, 1000); await new Promise(() => {})'],
])('rejects a module that %s', async (_, code) => {
  await expect(loadsInTime(moduleOf(code), 500)).rejects.toThrow('it did not finish loading within 0.5 s');
});

it.each([
  ['waits for nothing', 'await new Promise(() => {})', 'awaits something that never happens'],
  ['exits the process', 'process.exit(0)', 'it exits the process'],
  ['throws', "throw new Error('no such thing')", 'no such thing'],
  ['has invalid syntax', 'export default (', 'Unexpected'],
])('rejects a module that %s', async (_, code, problem) => {
  await expect(loadsInTime(moduleOf(code))).rejects.toThrow(problem);
});
