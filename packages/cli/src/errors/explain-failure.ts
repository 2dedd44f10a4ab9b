// Turns whatever a command threw into what the user sees and the exit code. Prints nothing.

import { MmtokError } from '@mmtok/core';
import { CommanderError } from 'commander';
import { InputFileError } from '../errors.js';
import { shorten } from '../terminal/safe-text.js';

/** Exit codes of the program. */
export const EXIT = {
  ok: 0,
  failure: 1,
  badInput: 2,
  /** Done, but some questions were skipped. */
  incomplete: 3,
  /** Stopped by the user. */
  stopped: 130,
} as const;

/** Where files cannot be read or written, by the system's code: the user's to solve, whichever command met it. */
const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EEXIST: 'it exists and is no folder',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file or folder, and it cannot be made',
  ENOTDIR: 'a part of its path is no folder',
  EDQUOT: 'the quota of the disk is used up',
  ENOSPC: 'the disk is full',
  EPERM: 'permission is denied',
  EROFS: 'its disk is read-only',
};

const LONGEST_MESSAGE = 2000;

/** How a command ended. */
export interface Failure {
  readonly exitCode: number;
  /** What to print; nothing where it has been printed already. */
  readonly message?: string;
}

/** One line for errors thrown on purpose; the stack for bugs and under `--debug`. */
export function explainFailure(thrown: unknown, debug: boolean): Failure {
  const error = asFileError(thrown);
  if (error instanceof CommanderError) {
    return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.badInput };
  }
  const isExpected = MmtokError.isInstance(error);
  const exitCode = exitCodeOf(error);
  if (debug) return { exitCode, message: withCauses(error) };
  if (isExpected) return { exitCode, message: `error: ${oneLine(error.message)}` };
  const what = error instanceof Error ? error.message : String(error);
  return { exitCode, message: `error: ${oneLine(what)} (run again with --debug to see where)` };
}

function exitCodeOf(error: unknown): number {
  if (!MmtokError.isInstance(error)) return EXIT.failure;
  if (error.code === 'MMTOK_EVAL_STOPPED') return EXIT.stopped;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  const isMachine = error.kind === 'environment' || code === 'ENOSPC' || code === 'EDQUOT';
  return isMachine ? EXIT.failure : EXIT.badInput;
}

/** An error of the file system as a typed one; any other as it is. */
function asFileError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '', path } = error as NodeJS.ErrnoException;
  const problem = FILE_PROBLEMS[code];
  if (problem === undefined) return error;
  return new InputFileError(path ?? 'a file', problem, { cause: error });
}

/** A message on one line, not longer than people read: a file may have put anything into it. */
function oneLine(text: string): string {
  const lines = shorten(text, LONGEST_MESSAGE).split('\n');
  return lines
    .map((line) => line.trim())
    .join(' ')
    .trim();
}

/** The stack of an error, and those of what caused it. */
function withCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\ncaused by ${withCauses(error.cause)}`;
}
