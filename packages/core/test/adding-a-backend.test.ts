// Builds the very example that apps/docs/guide/write-a-backend.md shows and runs the conformance suite on it.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../src/backend/backend.js';
import { describeBackend } from '../src/testing/describe-backend.js';

const page = await readFile(new URL('../../../apps/docs/guide/write-a-backend.md', import.meta.url), 'utf8');
const example = /```ts \[my-backend\.ts\]\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
const folder = new URL('../.cache/', import.meta.url);
await mkdir(folder, { recursive: true });
const file = new URL('documented-backend.ts', folder);
await writeFile(file, example);
const { createMyBackend } = (await import(/* @vite-ignore */ file.href)) as { createMyBackend(): Backend };

describe('apps/docs/guide/write-a-backend.md', () => {
  it('shows a backend', () => {
    expect(createMyBackend().name).toBe('mine');
  });
});

describeBackend({ name: 'the documented example', create: createMyBackend });
