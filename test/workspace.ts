// The packages of this repository, as their folders and manifests say. Reads files only.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The root folder of the repository. */
export const root: string = join(import.meta.dirname, '..');

/** The parts of a package.json that the checks read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A package of the workspace. */
export interface WorkspacePackage {
  /** Its folder, relative to the root, e.g. `packages/core`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Reads a package.json. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Every package of the workspace: `packages/*`, `apps/*` and the scripts in `examples`. */
export function workspacePackages(): readonly WorkspacePackage[] {
  const folders = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
  );
  return [...folders, 'examples']
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readManifest(join(root, folder)) }));
}

/** A package inside another package's folder, e.g. `examples/next`. */
const isNested = (folder: string, path: string): boolean => {
  const [first = ''] = relative(folder, path).split('/');
  return existsSync(join(root, folder, first, 'package.json'));
};

/** Files of the package in `folder` (relative to the root) with one of the extensions; none if there is no such folder. */
export function sourceFiles(folder: string, extensions: readonly string[]): readonly string[] {
  const absolute = join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/(^|\/)(node_modules|\.cache|public)\//.test(path) && !isNested(folder, path));
}
