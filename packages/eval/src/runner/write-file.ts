// Writes files whole or not at all: a full disk or a kill never leaves half a file in place of a good one.

import { renameSync, rmSync, writeFileSync } from 'node:fs';

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
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
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
