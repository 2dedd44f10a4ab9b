// The apps of examples/ as a user has them: copied out of the repository, with the packed packages installed by npm.

import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Manifest, root } from '../workspace.js';
import type { PackedPackage } from './pack-packages.js';
import { run } from './run.js';

/** The apps. Each is a folder with its own package.json. */
export const exampleApps = ['ai-sdk', 'browser-worker', 'next', 'webcam'] as const;

const LIBRARY = '@huggingface/transformers';

/** What is made by installing and building, relative to an app. */
const MADE = /^(node_modules|dist|\.next|public\/(ort|tiny-vlm))(\/|$)/;

/** Copies all apps into a temporary folder and installs them there, in one go. */
export async function installExampleApps(packed: readonly PackedPackage[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mmtok-examples-'));
  const tarballs = Object.fromEntries(packed.map(({ name, filename }) => [name, `file:${filename}`]));
  const needed = new Set<string>();
  let library: string | undefined;
  for (const app of exampleApps) {
    const source = join(root, 'examples', app);
    await cp(source, join(folder, app), {
      recursive: true,
      filter: (path) => !MADE.test(relative(source, path)),
    });
    const file = join(folder, app, 'package.json');
    const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest;
    const resolved = (ranges: Readonly<Record<string, string>> = {}): Record<string, string> =>
      Object.fromEntries(
        Object.entries(ranges).map(([name, range]) => {
          if (name in tarballs) needed.add(name);
          if (name === LIBRARY) library = range;
          return [name, tarballs[name] ?? range];
        }),
      );
    await writeFile(
      file,
      JSON.stringify({
        ...manifest,
        dependencies: resolved(manifest.dependencies),
        devDependencies: resolved(manifest.devDependencies),
      }),
    );
  }
  // At the root, so that the packages find each other's tarballs and not a registry's versions, and share one transformers.js
  // with the apps.
  const siblings = new Set([...needed, '@mmtok/core', '@mmtok/onnx', '@mmtok/ort-backend']);
  const dependencies = {
    ...Object.fromEntries([...siblings].map((name) => [name, tarballs[name]])),
    [LIBRARY]: library,
  };
  const manifest = { name: 'apps', private: true, workspaces: exampleApps, dependencies };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const command = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', command, folder);
  return folder;
}

/** Versions by package, as pnpm-workspace.yaml has them. */
export async function readCatalog(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(root, 'pnpm-workspace.yaml'), 'utf8');
  const lines = text.slice(text.indexOf('\ncatalog:')).matchAll(/^ {2}'?([@\w./-]+)'?: (\S+)$/gm);
  return new Map([...lines].map(([, name = '', version = '']) => [name, version]));
}
