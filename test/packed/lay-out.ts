// A folder with the packed packages in node_modules, as npm would lay them out, without asking a registry: what they
// depend on is linked to what the repository has installed.

import { mkdir, readFile, realpath, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Manifest, root, workspacePackages } from '../workspace.js';
import type { PackedPackage } from './pack-packages.js';
import { run } from './run.js';

/** Unpacks `names` and the siblings they need into `folder`/node_modules. */
export async function layOut(
  folder: string,
  packed: readonly PackedPackage[],
  names: readonly string[],
): Promise<void> {
  const workspace = new Map(workspacePackages().map((each) => [each.manifest.name, each]));
  const done = new Set<string>();
  const add = async (name: string, from: string): Promise<void> => {
    if (done.has(name)) return;
    done.add(name);
    const target = join(folder, 'node_modules', name);
    const own = packed.find((each) => each.name === name);
    if (own === undefined) {
      await mkdir(dirname(target), { recursive: true });
      const installed = await realpath(join(root, from, 'node_modules', name)).catch(() => undefined);
      if (installed !== undefined) await symlink(installed, target);
      return;
    }
    await mkdir(target, { recursive: true });
    await run('tar', ['-xzf', own.filename, '-C', target, '--strip-components=1'], folder);
    const manifest = JSON.parse(await readFile(join(target, 'package.json'), 'utf8')) as Manifest;
    const needed = { ...manifest.dependencies, ...manifest.peerDependencies };
    for (const each of Object.keys(needed)) await add(each, workspace.get(name)?.folder ?? '');
  };
  for (const name of names) await add(name, '');
}
