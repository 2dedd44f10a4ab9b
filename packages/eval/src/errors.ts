// The typed errors of @mmtok/eval: datasets, tasks, methods and runs.

import { MmtokError } from '@mmtok/core';

/** A file of a dataset, or one line or row of it, is damaged or has the wrong form. */
export class CorruptFileError extends MmtokError {
  /** The file, with its line or row if known, e.g. `'questions.jsonl, line 3'`. */
  readonly where: string;

  constructor(where: string, problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_CORRUPT_FILE', `${where}: ${problem}.`, { kind: 'data', ...options });
    this.where = where;
  }
}

/** A dataset file or image is missing. The message says what was looked for, where, and what to do. */
export class MissingFileError extends MmtokError {
  /** The file, folder or URL that was searched. */
  readonly path: string;

  constructor(path: string, problem: string, hint: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_MISSING_FILE', `${path}: ${problem}`, { kind: 'data', hint, ...options });
    this.path = path;
  }
}

/** A folder or file contains nothing that the task can read. */
export class UnknownFormatError extends MmtokError {
  /** The task's name. */
  readonly task: string;

  constructor(task: string, given: string, expected: string) {
    super('MMTOK_UNKNOWN_FORMAT', `Task '${task}' cannot read ${given}: ${expected}.`, { kind: 'data' });
    this.task = task;
  }
}

/** No task has this name. The message lists the known ones. */
export class UnknownTaskError extends MmtokError {
  /** The names that exist. */
  readonly known: readonly string[];

  constructor(name: string, known: readonly string[]) {
    super(
      'MMTOK_UNKNOWN_TASK',
      `There is no task '${name}'. Known: ${known.join(', ')}. For your own images and questions, use folderTask().`,
    );
    this.known = known;
  }
}

/** A method lacks an input, was asked for an impossible number of tokens, or returned wrong indices. */
export class MethodError extends MmtokError {
  /** The method's name. */
  readonly method: string;

  constructor(method: string, problem: string) {
    super('MMTOK_METHOD', `Method '${method}': ${problem}.`);
    this.method = method;
  }
}

/** A run, merge or report cannot do what was asked, or its folder holds records of another run. */
export class RunError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_EVAL_RUN', `${problem}.`, options);
  }
}

/** A file of a run cannot be written, usually because the disk is full. Data written earlier is kept. */
export class WriteError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_WRITE', `${problem}.`, { kind: 'environment', ...options });
  }
}

/** An image cannot be made small enough for a budget, e.g. because every tile costs more vision tokens. */
export class UnreachableBudgetError extends MmtokError {
  constructor(tokens: number, options?: { readonly cause?: unknown }) {
    super(
      'MMTOK_UNREACHABLE_BUDGET',
      `No smaller version of the image costs at most ${tokens} vision ${tokens === 1 ? 'token' : 'tokens'}.`,
      options,
    );
  }
}

/** A run was stopped by its signal. Results so far are kept. */
export class RunStoppedError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_EVAL_STOPPED', `${problem}.`);
  }
}

/** A model kept other tokens than requested, or nothing was pruned, so the scores would not compare anything. */
export class PruningError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_EVAL_PRUNING', `${problem}.`, { kind: 'environment' });
  }
}
