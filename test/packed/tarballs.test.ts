// Each tarball by itself: what is in it, what its manifest says, and whether the types resolve.

import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { type Manifest, root, workspacePackages } from '../workspace.js';
import { run } from './run.js';

const packed = inject('packed');
const tool = (name: string): string => join(root, 'test/node_modules/.bin', name);

test('every package but the private ones is packed', () => {
  const wanted = workspacePackages().filter(({ manifest }) => !manifest.private);
  expect(packed.map(({ name }) => name).sort()).toEqual(wanted.map(({ manifest }) => manifest.name).sort());
});

describe.each(packed.map((each) => [each.name, each] as const))('%s', (_, { filename, files }) => {
  test('carries README, LICENSE and code', () => {
    const required = ['README.md', 'LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts'];
    expect(required.filter((file) => !files.includes(file))).toEqual([]);
  });

  test('carries no tests, no build state and nothing built from sources that are gone', () => {
    expect(
      files.filter((path) => /\.test\.|tsbuildinfo|(^|\/)(test|bench|node_modules)\//.test(path)),
    ).toEqual([]);
    const orphans = files
      .filter((path) => path.startsWith('dist/') && path.endsWith('.js'))
      .filter((path) => !files.includes(path.replace('dist/', 'src/').replace(/\.js$/, '.ts')));
    expect(orphans, 'built from deleted sources; run `pnpm clean`').toEqual([]);
  });

  test('has a manifest without ranges that only pnpm understands', async () => {
    const manifest = JSON.parse(
      await run('tar', ['-xzOf', filename, 'package/package.json'], root),
    ) as Manifest;
    const ranges = { ...manifest.dependencies, ...manifest.peerDependencies };
    for (const [name, range] of Object.entries(ranges)) {
      expect(range, name).toMatch(/^[\^~>=<\d. |x*-]+$/);
      const sibling = packed.find((each) => each.name === name);
      if (sibling !== undefined) expect(range).toBe(`^${sibling.version}`);
    }
  });

  test('passes publint --strict', async () => {
    await run(tool('publint'), ['run', '--strict', filename], root);
  });

  test('has types that resolve in every ESM setting', async () => {
    await run(
      tool('attw'),
      [filename, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii'],
      root,
    );
  });
});
