// The README's quick start is the file that the compiler checks.

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

it('is what the README prints', async () => {
  const [readme, checked] = await Promise.all(
    ['../README.md', 'quick-start.ts'].map((file) => readFile(new URL(file, import.meta.url), 'utf8')),
  );
  const [, printed] = /```ts\n(.*?)```/s.exec(readme as string) ?? [];
  expect(checked).toContain(printed);
});
