// Packs every public package once, as `pnpm publish` would, before the tests of this folder run.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { root } from '../workspace.js';
import { run } from './run.js';

/** A packed package. */
export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the tarball. */
  readonly filename: string;
  /** Paths of the files inside the package. */
  readonly files: readonly string[];
}

declare module 'vitest' {
  interface ProvidedContext {
    packed: readonly PackedPackage[];
  }
}

export default async function packPackages(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'mmtok-packed-'));
  const command = ['-r', '--filter', './packages/*', 'pack', '--json', '--pack-destination', folder];
  const packed = JSON.parse(await run('pnpm', command, root)) as readonly Omit<PackedPackage, 'files'>[];
  const complete = packed.map(async ({ name, version, filename }) => {
    // pnpm's own list lacks what it adds while packing: the LICENSE of the repository.
    const list = await run('tar', ['-tzf', filename], root);
    return {
      name,
      version,
      filename,
      files: list
        .trim()
        .replaceAll(/^package\//gm, '')
        .split('\n'),
    };
  });
  project.provide('packed', await Promise.all(complete));
  return () => rm(folder, { recursive: true, force: true });
}
