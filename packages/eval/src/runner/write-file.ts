// Writes files whole or not at all: a full disk or a kill never leaves half a file in place of a good one.

import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '@mmtok/core/internal';

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
