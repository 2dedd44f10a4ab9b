// Files in Node, Bun, and Deno: model folders on disk, the folder in which transformers.js keeps downloads, and the user's cache
// folder.

import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, homedir, platform as system } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STOP_SPINNING } from '@mmtok/core/internal';
import { ModelLoadError } from '../errors.js';
import type { FileCache, LibraryEnv, Location, PlatformFiles, ProfileStore } from './model-files.js';

/** Whether a source is a path rather than a hub id (`owner/name`). */
function looksLikePath(source: string): boolean {
  return isAbsolute(source) || /^\.{0,2}[\\/]|^\.{1,2}$|\\|^~/.test(source) || source.split('/').length > 2;
}

/**
 * The absolute path of a model folder; nothing for a hub id.
 * @throws ModelLoadError if the source is a path that is not a model folder; the message says what is missing.
 */
function modelFolder(source: string): string | undefined {
  const path = resolve(toPath(source));
  if (!existsSync(path)) {
    if (!looksLikePath(source)) return undefined;
    throw new ModelLoadError(
      source,
      `the folder ${path} does not exist; pass an existing folder or a hub id such as owner/name`,
    );
  }
  if (!statSync(path).isDirectory()) {
    throw new ModelLoadError(source, 'it is a file; pass the folder that contains config.json and onnx/');
  }
  const missing = [
    'config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'preprocessor_config.json',
  ].filter((file) => !existsSync(join(path, file)));
  const onnx = join(path, 'onnx');
  if (!existsSync(onnx) || !readdirSync(onnx).some((file) => file.endsWith('.onnx')))
    missing.push('onnx/*.onnx');
  if (missing.length > 0) {
    throw new ModelLoadError(
      source,
      `the folder lacks ${missing.join(', ')}; it must have the layout of a transformers.js model, such as a repository of onnx-community`,
    );
  }
  return path;
}

async function openCache(env: LibraryEnv, folder: string | undefined): Promise<FileCache | undefined> {
  const base = folder ?? env.cacheDir;
  if (env.useFSCache === false || base == null) return undefined;
  return {
    async match(name) {
      const path = join(base, name);
      return existsSync(path) ? path : undefined;
    },
  };
}

const toPath = (location: Location): string =>
  location instanceof URL || /^file:/i.test(location) ? fileURLToPath(location) : location;

/** The devices that transformers.js tries for `'auto'` or `'gpu'`. */
function devices(wanted: 'auto' | 'gpu'): string[] {
  const own: Readonly<Record<string, readonly string[]>> = {
    win32: ['dml'],
    darwin: ['coreml'],
    linux: process.arch === 'x64' ? ['cuda'] : [],
  };
  const all = [...(own[process.platform] ?? []), 'webgpu', 'cpu'];
  return wanted === 'auto' ? all : all.filter((device) => ['webgpu', 'cuda', 'dml'].includes(device));
}

/** The folder of profiles. */
function profileFolder(): string {
  const { env } = process;
  const own = system() === 'win32' ? env.LOCALAPPDATA : undefined;
  return join(env.XDG_CACHE_HOME || own || join(homedir(), '.cache'), 'mmtok', 'profiles');
}

/** Profiles as files. */
const profiles: ProfileStore = {
  async read(key) {
    try {
      return JSON.parse(await readFile(join(profileFolder(), `${key}.json`), 'utf8')) as unknown;
    } catch {
      return undefined;
    }
  },
  async write(key, profile) {
    const path = join(profileFolder(), `${key}.json`);
    // Write atomically, because another process may read the file at the same time.
    const unfinished = `${path}.${randomUUID()}.part`;
    try {
      await mkdir(profileFolder(), { recursive: true });
      await writeFile(unfinished, JSON.stringify(profile));
      await rename(unfinished, path);
    } catch {
      // The folder is not writable, or the disk is full: the next process measures again.
      await rm(unfinished, { force: true }).catch(() => undefined);
    }
  },
  machine: () => `${cpus()[0]?.model ?? ''} × ${availableParallelism()}`,
};

/** The Node implementation of `#files`. */
export const platform: PlatformFiles = {
  modelFolder,
  openCache,
  async readLocal(location) {
    const path = toPath(location);
    return { bytes: await readFile(path), folder: dirname(path) };
  },
  beside: (location, name) => join(dirname(toPath(location)), name),
  devices,
  profiles,
  sessionOptions: STOP_SPINNING,
  // Nothing is downloaded here: transformers.js has already written every file of a loaded model to disk.
  download: undefined,
};
