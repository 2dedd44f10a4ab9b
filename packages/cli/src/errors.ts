// The typed errors of the command line, and how a failed command is reported: one line and an exit code.

import { MmtokError } from '@mmtok/core';
import { explainFileError, FILE_PROBLEMS, messageOf } from '@mmtok/core/internal';
import { CommanderError } from 'commander';
import { shorten } from './terminal/text.js';

/** There is no network, or it blocks the hub. */
export class HubUnreachableError extends MmtokError {
  constructor(model: string, options?: { readonly cause?: unknown }) {
    super(
      'MMTOK_HUB_UNREACHABLE',
      `The model '${model}' is not on this machine, and https://huggingface.co cannot be reached to download it. ` +
        'Check the network (Node 20 ignores HTTPS_PROXY), or pass a folder with the model.',
      { kind: 'environment', ...options },
    );
  }
}

/** A file named on the command line is missing, unreadable, or of the wrong kind. */
export class InputFileError extends MmtokError {
  readonly path: string;

  constructor(path: string, problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_INPUT_FILE', `Cannot use '${path}': ${problem}.`, { kind: 'data', ...options });
    this.path = path;
  }
}

/**
 * Does some work on a file.
 * @throws InputFileError naming the file and the problem, with the reason, if the work fails.
 */
export async function orInputFileError<T>(path: string, problem: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new InputFileError(path, `${problem} (${explainFileError(cause)})`, { cause });
  }
}

/** A safetensors file is malformed or truncated, or a tensor is missing or has an unsupported type. */
export class SafetensorsError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_SAFETENSORS', `Invalid safetensors: ${problem}.`, { kind: 'data' });
  }
}

/** An argument or option has an invalid value. */
export class UsageError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_USAGE', problem);
  }
}

/** Exit codes of the program. */
export const EXIT = {
  ok: 0,
  failure: 1,
  badInput: 2,
  /** Finished, but some questions were skipped. */
  incomplete: 3,
  /** Stopped by the user. */
  stopped: 130,
} as const;

/** System errors of the disk, as opposed to those of the path. */
const DISK_PROBLEMS: ReadonlySet<string> = new Set(['EDQUOT', 'EFBIG', 'EIO', 'ENOSPC', 'EROFS']);

const LONGEST_MESSAGE = 2000;

/** How a command failed. */
export interface Failure {
  readonly exitCode: number;
  /** What to print; absent if it has been printed already. */
  readonly message?: string;
}

/** One line for expected errors; the stack for bugs and with `--debug`. */
export function explainFailure(thrown: unknown, debug: boolean): Failure {
  const error = asFileError(thrown);
  if (error instanceof CommanderError) {
    return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.badInput };
  }
  const isExpected = MmtokError.isInstance(error);
  const exitCode = exitCodeOf(error);
  if (debug) return { exitCode, message: withCauses(error) };
  if (isExpected) return { exitCode, message: `error: ${oneLine(error.message)}` };
  return { exitCode, message: `error: ${oneLine(messageOf(error))} (run again with --debug to see where)` };
}

function exitCodeOf(error: unknown): number {
  if (!MmtokError.isInstance(error)) return EXIT.failure;
  if (error.code === 'MMTOK_EVAL_STOPPED') return EXIT.stopped;
  const { code = '' } = (error.cause ?? {}) as NodeJS.ErrnoException;
  const isFile = error.code === 'MMTOK_INPUT_FILE' || error.code === 'MMTOK_WRITE';
  // A path that cannot be used is bad input; a full disk is not.
  const isMachine = isFile && code in FILE_PROBLEMS ? DISK_PROBLEMS.has(code) : error.kind === 'environment';
  return isMachine ? EXIT.failure : EXIT.badInput;
}

/** A file system error as a typed one; any other error unchanged. */
function asFileError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '', path } = error as NodeJS.ErrnoException;
  const problem = FILE_PROBLEMS[code];
  if (problem === undefined) return error;
  return new InputFileError(path ?? 'a file', problem, { cause: error });
}

/** A message on one line of limited length: part of it may come from a file. */
function oneLine(text: string): string {
  const lines = shorten(text, LONGEST_MESSAGE).split('\n');
  return lines
    .map((line) => line.trim())
    .join(' ')
    .trim();
}

/** The stack of an error and of its causes. */
function withCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\ncaused by ${withCauses(error.cause)}`;
}
