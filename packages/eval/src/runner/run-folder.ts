// The folder of a run: locked by one process at a time, its files written whole or not at all.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimes, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '@mmtok/core/internal';
import * as z from 'zod';
import { RunError } from '../errors.js';

// Writes files whole or not at all: a full disk or a kill never leaves half a file in place of a good one.

/** What the system's codes mean. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'the file is too large for its disk',
  EIO: 'the disk failed',
  EISDIR: 'it is a folder',
  ENOENT: 'its folder is gone',
  ENOSPC: 'the disk is full',
  EPERM: 'permission is denied',
  EROFS: 'the disk is read-only',
};

/** Why a file could not be written, in words. */
export function explainWriteFailure(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? messageOf(error);
}

/** Writes a file, replacing the one of that name only when all of it is written. */
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
 * Makes a folder and those above it, unless they are there. Node's own way never returns where a file system refuses to make
 * folders at all, as in /proc.
 * @throws the system's error if one cannot be made, or is a file.
 */
export function makeFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  const parent = dirname(path);
  if (found === undefined && parent !== path) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

// One process at a time in the folder of a run: a file in it says which. Knows nothing of what a run writes.

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
