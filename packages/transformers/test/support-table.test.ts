// The tables of supported models in README and docs match the code. `vitest run <this file> -u` updates them.

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { families } from '../src/index.js';
import { modelsPage, shortTable } from './support/support-table.js';

it('docs/models.md is generated from the families', async () => {
  await expect(modelsPage()).toMatchFileSnapshot('../docs/models.md');
});

it("README.md has the families' table", async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  await expect(between(readme, 'models', `\n${shortTable()}\n`)).toMatchFileSnapshot('../README.md');
});

it("the repository's README names the families", async () => {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
  const names = families.flatMap((family) => (family.status === 'pruned' ? [family.name] : []));
  await expect(between(readme, 'model names', `\n${names.join(', ')}\n`)).toMatchFileSnapshot(
    '../../../README.md',
  );
});

it('every model type belongs to one family', () => {
  const types = families.flatMap((family) => family.modelTypes);
  expect(new Set(types).size).toBe(types.length);
});

/** A page with other text between the comments of a name. */
function between(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  return page.slice(0, page.indexOf(start) + start.length) + text + page.slice(page.indexOf(end));
}
