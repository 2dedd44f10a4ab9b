// One process at a time in the folder of a run: a file in it says which. Knows nothing of what a run writes.

import { readFileSync, rmSync, statSync, utimes, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { RunError } from './run-error.js';
import { makeFolder } from './write-file.js';

const LOCK = 'run.lock';
/** The file is touched this often while its process runs. */
const TOUCH_EVERY_MS = 30_000;
/** Untouched for so long, it is of a process that ended without a word, on whatever machine. */
const STALE_MS = 4 * TOUCH_EVERY_MS;

/** Who runs there. */
const holderSchema = z.object({ pid: z.int(), host: z.string() });
type Holder = z.output<typeof holderSchema>;

/** The locks of this process. A container that is started again has its number again, so the number alone does not tell. */
const own = new Set<string>();

/** A folder that no other process may run in. */
export interface FolderLock {
  release(): void;
}

/**
 * Makes a folder, if need be, and locks it. The lock of a process that is no more is taken over: at once if it ran on
 * this machine, else two minutes after its end, so that a job goes on when a cluster starts it again elsewhere.
 * @throws RunError if another run is under way there.
 */
export function lockFolder(folder: string): FolderLock {
  makeFolder(resolve(folder));
  const path = resolve(folder, LOCK);
  if (!take(path)) {
    const holder = holderOf(path);
    if (isHeld(path, holder)) throw new RunError(heldMessage(folder, holder));
    rmSync(path, { force: true });
    // Whoever else found the same stale lock may have been faster.
    if (!take(path)) throw new RunError(heldMessage(folder, holderOf(path)));
  }
  own.add(path);
  const timer = setInterval(() => {
    const now = new Date();
    // A folder that vanishes ends the run when it writes, not here.
    utimes(path, now, now, () => {});
  }, TOUCH_EVERY_MS).unref();
  return {
    release() {
      clearInterval(timer);
      own.delete(path);
      rmSync(path, { force: true });
    },
  };
}

/** Whether the lock was free, and is this process's now. */
function take(path: string): boolean {
  const holder: Holder = { pid: process.pid, host: hostname() };
  try {
    writeFileSync(path, `${JSON.stringify(holder)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // On a full disk the file is there, but empty.
    rmSync(path, { force: true });
    throw error;
  }
}

/** Who holds the lock; undefined while that is being written, or after it was released. */
function holderOf(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function isHeld(path: string, holder: Holder | undefined): boolean {
  if (own.has(path)) return true;
  const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (touched === undefined || Date.now() - touched > STALE_MS) return false;
  return holder === undefined || holder.host !== hostname() || isRunning(holder.pid);
}

/** Whether another process of this number runs on this machine. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, but belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function heldMessage(folder: string, holder: Holder | undefined): string {
  const who = holder === undefined ? '' : ` (process ${holder.pid} on ${holder.host})`;
  const elsewhere =
    holder === undefined || holder.host === hostname()
      ? ''
      : `. Whether it still is cannot be seen from this machine: if not, try again in ${STALE_MS / 60_000} minutes or ` +
        `remove '${join(folder, LOCK)}'`;
  return `Another run${who} is under way in '${folder}': wait for it, or choose another folder${elsewhere}`;
}
