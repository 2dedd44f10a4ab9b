// The folder of a run: locked by one process at a time; files are written atomically.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimes, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { explainFileError } from '@mmtok/core/internal';
import * as z from 'zod';
import { RunError, WriteError } from '../errors.js';

// Atomic writes: a full disk or a kill never replaces a good file with half a file.

/** Writes a file and replaces an existing one only once all of it is written. */
export function writeWhole(path: string, text: string): void {
  const partial = `${path}.partial`;
  try {
    writeFileSync(partial, text, { flush: true });
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/**
 * Writes files into an existing folder.
 * @param problem what to say about a file that cannot be written, given its path and the reason.
 * @returns Their paths.
 * @throws WriteError if one cannot be written.
 */
export function writeFiles(
  folder: string,
  files: readonly (readonly [name: string, text: string])[],
  problem: (path: string, reason: string) => string,
): string[] {
  return files.map(([name, text]) => {
    const path = join(folder, name);
    try {
      writeWhole(path, text);
    } catch (cause) {
      throw new WriteError(problem(path, explainFileError(cause)), { cause });
    }
    return path;
  });
}

/**
 * Creates a folder and its parents if they do not exist. Node's own `recursive` never returns on file systems that refuse to
 * create folders, such as /proc.
 * @throws the system's error if one cannot be created, or is a file.
 */
export function makeFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  const parent = dirname(path);
  if (found === undefined && parent !== path) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have created it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

// The lock: a file in the folder names the process that runs in it.

const LOCK = 'run.lock';
/** How often the file is touched while its process runs. */
const TOUCH_EVERY_MS = 30_000;
/** A lock untouched for this long belongs to a process that died, on whatever machine. */
const STALE_MS = 4 * TOUCH_EVERY_MS;

/** The process that holds a lock. */
const holderSchema = z.object({ pid: z.int(), host: z.string() });
type Holder = z.output<typeof holderSchema>;

/** The locks of this process. A restarted container reuses its process id, so the id alone does not identify it. */
const own = new Set<string>();

/** A lock on a folder. */
export interface FolderLock {
  release(): void;
}

/**
 * Creates a folder if needed, and locks it. A stale lock is reclaimed: at once if its process ran on this machine, otherwise after
 * two minutes, so that a job continues when a cluster restarts it elsewhere.
 * @throws RunError if another run is in progress there.
 */
export function lockFolder(folder: string): FolderLock {
  makeFolder(resolve(folder));
  const path = resolve(folder, LOCK);
  if (!take(path)) {
    const holder = holderOf(path);
    if (isHeld(path, holder)) throw new RunError(heldMessage(folder, holder));
    rmSync(path, { force: true });
    // Another process may have reclaimed the same stale lock first.
    if (!take(path)) throw new RunError(heldMessage(folder, holderOf(path)));
  }
  own.add(path);
  const timer = setInterval(() => {
    const now = new Date();
    // If the folder vanishes, the run fails when it writes, not here.
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

/** Whether the lock was free and now belongs to this process. */
function take(path: string): boolean {
  const holder: Holder = { pid: process.pid, host: hostname() };
  try {
    writeFileSync(path, `${JSON.stringify(holder)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // On a full disk the file exists but is empty.
    rmSync(path, { force: true });
    throw error;
  }
}

/** Who holds the lock; undefined while it is being written, or after its release. */
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

/** Whether another process with this id runs on this machine. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function heldMessage(folder: string, holder: Holder | undefined): string {
  const who = holder === undefined ? '' : ` (process ${holder.pid} on ${holder.host})`;
  const elsewhere =
    holder === undefined || holder.host === hostname()
      ? ''
      : `. This machine cannot tell whether that process still runs: if it does not, try again in ${STALE_MS / 60_000} minutes, or ` +
        `remove '${join(folder, LOCK)}'`;
  return `Another run${who} is in progress in '${folder}': wait for it, or choose another folder${elsewhere}`;
}
