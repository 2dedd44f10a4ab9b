// System errors of reading and writing files, in words.

import { messageOf } from '../errors.js';

/** Why a file cannot be read or written, by the system's error code. */
export const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it exists but is not a folder',
  EFBIG: 'the file is too large for its disk',
  EIO: 'the disk failed',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'part of its path is not a folder',
  EPERM: 'permission is denied',
  EROFS: 'its disk is read-only',
};

/** Why a file could not be read or written; the error's own message if its code is not known. */
export function explainFileError(error: unknown): string {
  const { code = '' } = (error ?? {}) as { readonly code?: string };
  return FILE_PROBLEMS[code] ?? messageOf(error);
}
