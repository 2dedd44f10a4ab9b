// The subpaths that the command line reads names from load no dataset reader, plotting library, or engine.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** The packages that importing an entry point loads at once, without those behind `import()`. */
async function packagesOf(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${entry}/index.ts`, import.meta.url))],
    bundle: true,
    write: false,
    outdir: 'unused',
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  const loaded = imports.filter(({ external, kind }) => external && kind === 'import-statement');
  return [...new Set(loaded.map(({ path }) => path))].filter((path) => !path.startsWith('node:'));
}

it.each(['methods', 'metrics', 'speed', 'stats', 'tasks'])(
  '%s loads the core and zod only',
  async (entry) => {
    const own = /^(zod|@mmtok\/(core|onnx)(\/.*)?)$/;
    expect((await packagesOf(entry)).filter((name) => !own.test(name))).toEqual([]);
  },
);
