// Stores profiles in Node, Bun, and Deno, as files in the user's cache folder.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, homedir, platform } from 'node:os';
import { join } from 'node:path';
import type { ProfileStore } from './profile-store.js';

function folder(): string {
  const { env } = process;
  const own = platform() === 'win32' ? env.LOCALAPPDATA : undefined;
  return join(env.XDG_CACHE_HOME || own || join(homedir(), '.cache'), 'mmtok', 'profiles');
}

/** The implementation of `#profiles` for Node. */
export const profiles: ProfileStore = {
  async read(key) {
    try {
      return JSON.parse(await readFile(join(folder(), `${key}.json`), 'utf8')) as unknown;
    } catch {
      return undefined;
    }
  },
  async write(key, profile) {
    const path = join(folder(), `${key}.json`);
    try {
      await mkdir(folder(), { recursive: true });
      // Write atomically, because another process may read the file at the same time.
      await writeFile(`${path}.${process.pid}`, JSON.stringify(profile));
      await rename(`${path}.${process.pid}`, path);
    } catch {
      // The folder is not writable: the next process measures again.
    }
  },
  machine: () => `${cpus()[0]?.model ?? ''} × ${availableParallelism()}`,
};
