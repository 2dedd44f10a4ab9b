// The typed errors: the base class of every error that mmtok throws deliberately (bugs stay plain Errors) and the core's own. Also
// turns what zod, the file system, and other code report into them.

import type * as z from 'zod';

const MARKER = Symbol.for('mmtok.error');

/** Who can act on an error: the caller, the operator of the machine, or the supplier of the data. */
export type ErrorKind =
  /** The call or its options are wrong: change the code. */
  | 'usage'
  /** Something is missing or fails on this machine: install, configure or free it. */
  | 'environment'
  /** The given tensors, files or models are invalid: change the data. */
  | 'data';

/** Details of a {@link MmtokError} besides its code and problem. */
export interface ErrorDetails {
  /** @default 'usage' */
  readonly kind?: ErrorKind | undefined;
  /** What to do, in whole sentences, e.g. an install command. */
  readonly hint?: string | undefined;
  /** Start of the message: `Invalid budget` gives "Invalid budget: …". */
  readonly title?: string | undefined;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/** Names and values in a message come from callers and files, so longer titles and problems are truncated. */
const LONGEST_PART = 4000;

/**
 * Base class of all typed errors. Unlike `instanceof`, `MmtokError.isInstance(error)` works across duplicate copies of the package.
 */
export class MmtokError extends Error {
  /** A stable, machine-readable code such as `MMTOK_INVALID_BUDGET`. */
  readonly code: string;
  readonly kind: ErrorKind;
  /** What is wrong, truncated to 4,000 characters. The message is the title, the problem and the hint. */
  readonly problem: string;
  /** What to do about it, if the message says so. */
  declare readonly hint?: string;

  constructor(code: string, stated: string, details: ErrorDetails = {}) {
    const { kind = 'usage', hint } = details;
    const title = details.title === undefined ? undefined : shortened(details.title);
    const problem = shortened(stated);
    const sentence = title === undefined ? problem : `${title}: ${problem}`;
    const closed = title === undefined && hint === undefined ? sentence : endSentence(sentence);
    super(
      hint === undefined ? closed : `${closed} ${hint}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.kind = kind;
    this.problem = problem;
    if (hint !== undefined) this.hint = hint;
    Object.defineProperty(this, MARKER, { value: true });
  }

  /** Whether `value` is an error of any copy of mmtok and, if `code` is given, has that code. */
  static isInstance(value: unknown, code?: string): value is MmtokError {
    const isMarked = typeof value === 'object' && value !== null && MARKER in value;
    return isMarked && (code === undefined || (value as unknown as MmtokError).code === code);
  }
}

/** The text, or its beginning and its length; never half of a surrogate pair. */
function shortened(text: string): string {
  if (text.length <= LONGEST_PART) return text;
  const start = text.slice(0, LONGEST_PART).replace(/[\uD800-\uDBFF]$/, '');
  return `${start}… (${text.length} characters)`;
}

const endSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The message of whatever was thrown. Never throws. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'an object that cannot be printed';
  }
}

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

/** Why a file could not be read or written; the error's own message if its code is unknown. */
export function explainFileError(error: unknown): string {
  const { code = '' } = (error ?? {}) as { readonly code?: string };
  return FILE_PROBLEMS[code] ?? messageOf(error);
}

/** Options are invalid. The message lists each wrong path, what was expected and what was given. */
export class InvalidOptionsError extends MmtokError {
  constructor(what: string, problems: readonly string[], details: ErrorDetails = {}) {
    super('MMTOK_INVALID_OPTIONS', problems.join('; '), { title: `Invalid ${what}`, ...details });
  }
}

/** The most problems in a message: an array of a million wrong indices has a million. */
const LISTED = 5;

/**
 * Parses `value` with a zod schema.
 * @throws InvalidOptionsError with the first few problems, also for values that cannot be read, such as revoked proxies and
 * throwing getters.
 */
export function parseOptions<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  let issues: readonly z.core.$ZodIssue[];
  try {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    // Read inside `try`: zod makes messages on first access and inspects the value again.
    issues = result.error.issues;
  } catch (cause) {
    throw new InvalidOptionsError(what, [`it cannot be read (${messageOf(cause)})`], { cause });
  }
  const problems = issues.slice(0, LISTED).map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  const more = issues.length - problems.length;
  throw new InvalidOptionsError(what, more > 0 ? [...problems, `and ${more} more`] : problems);
}

/** A budget or its constraints cannot be satisfied, e.g. zero tokens, or more must-keeps than tokens. */
export class InvalidBudgetError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_INVALID_BUDGET', problem, { title: 'Invalid budget' });
  }
}

/** A tensor has the wrong shape, element type, length or values (NaN, infinity, negative coverage). */
export class InvalidTensorError extends MmtokError {
  /** Which tensor, e.g. `'vision'` or `'coverage(text).affinity'`. */
  readonly tensor: string;

  constructor(tensor: string, problem: string, details: ErrorDetails = {}) {
    super('MMTOK_INVALID_TENSOR', problem, { title: `Tensor '${tensor}'`, kind: 'data', ...details });
    this.tensor = tensor;
  }
}

/** A maximizer or a `select` function returned something other than distinct, eligible candidates. */
export class InvalidSelectionError extends MmtokError {
  /** What chose, e.g. `"maximizer 'mine'"` or `'select'`. */
  readonly chooser: string;

  constructor(chooser: string, problem: string, details: ErrorDetails = {}) {
    super('MMTOK_INVALID_SELECTION', problem, { title: `Invalid selection by ${chooser}`, ...details });
    this.chooser = chooser;
  }
}

/** A coverage term's matrix would exceed the ceiling or the available memory. */
export class MatrixTooLargeError extends MmtokError {
  /** Size of the matrix in bytes. */
  readonly bytes: number;

  /**
   * @param remedy how to give the term fewer targets, an imperative clause.
   * @param limits `ceiling` in bytes, absent if memory itself ran out; `peak` in bytes, the most in use while
   * the matrix is computed.
   */
  constructor(
    term: string,
    candidates: number,
    targets: number,
    remedy: string,
    limits: {
      readonly ceiling?: number | undefined;
      readonly peak?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    const { ceiling, peak, cause } = limits;
    const bytes = candidates * targets * Float32Array.BYTES_PER_ELEMENT;
    const gib = (value: number): string => `${(value / 2 ** 30).toFixed(2)} GiB`;
    const isLimit = ceiling !== undefined;
    super(
      'MMTOK_MATRIX_TOO_LARGE',
      `Coverage term '${term}' needs a matrix of ${candidates} × ${targets} floats (${gib(bytes)}` +
        `${peak === undefined ? '' : `, and up to ${gib(peak)} of memory while it is computed`}), ` +
        (isLimit ? `above the ceiling of ${gib(ceiling)}` : 'which cannot be allocated'),
      {
        kind: isLimit ? 'usage' : 'environment',
        hint: `${remedy}${isLimit ? ', or raise maxMatrixBytes if there is that much memory' : ''}.`,
        cause,
      },
    );
    this.bytes = bytes;
  }
}

/** An engine or execution device is missing or broken. The hint says how to get it. */
export class BackendUnavailableError extends MmtokError {
  readonly backend: string;
  declare readonly hint: string;

  constructor(backend: string, problem: string, hint: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_BACKEND_UNAVAILABLE', problem, {
      title: `Backend '${backend}' is unavailable`,
      kind: 'environment',
      hint,
      ...options,
    });
    this.backend = backend;
  }
}

/** An engine failed on a program: the program is wrong, or the engine has a bug or limit. `cause` is the engine's error. */
export class BackendRunError extends MmtokError {
  readonly backend: string;
  readonly program: string;

  constructor(backend: string, program: string, cause: unknown) {
    super('MMTOK_BACKEND_RUN', messageOf(cause), {
      title: `Backend '${backend}' failed on the program '${program}'`,
      kind: 'environment',
      hint: 'If the program is your own, try it on createReferenceBackend(), whose messages are more precise.',
      cause,
    });
    this.backend = backend;
    this.program = program;
  }
}

/** A program uses an operation, or a form of it, that the backend does not implement. */
export class UnsupportedOpError extends MmtokError {
  readonly op: string;
  readonly backend: string;

  constructor(op: string, backend: string, detail?: string) {
    super(
      'MMTOK_UNSUPPORTED_OP',
      `Backend '${backend}' does not support the operation '${op}'${detail === undefined ? '' : ` (${detail})`}`,
      {
        kind: 'environment',
        hint: 'Use another backend, or write the program with other operations.',
      },
    );
    this.op = op;
    this.backend = backend;
  }
}

/** A backend, prepared image or agent was used after `dispose()`. */
export class DisposedError extends MmtokError {
  constructor(what: string) {
    super('MMTOK_DISPOSED', `${what} was used after dispose()`, { hint: 'Create a new one.' });
  }
}
