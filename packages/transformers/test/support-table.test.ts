// The tables of supported models in README and docs are those of the code. `vitest run -u` writes them anew.

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { modelsPage, shortTable } from './support/support-table.js';

it('docs/models.md is made from the families', async () => {
  await expect(modelsPage()).toMatchFileSnapshot('../docs/models.md');
});

it.each(['../README.md', '../../../README.md'])("%s has the families' table", async (path) => {
  const file = new URL(path, import.meta.url);
  const [start, end] = ['<!-- models -->\n', '\n<!-- /models -->'];
  const readme = await readFile(file, 'utf8');
  const from = readme.indexOf(start) + start.length;
  const to = readme.indexOf(end);
  await expect(readme.slice(0, from) + shortTable() + readme.slice(to)).toMatchFileSnapshot(path);
});
