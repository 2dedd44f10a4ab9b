// Every error of this package: a stable code, the HTTP status that a client gets, and OpenAI's error body for it.

import { type ErrorKind, MmtokError } from '@mmtok/core';

/** The fields that a {@link ServeError} has besides its message. */
export interface ServeErrorDetails {
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The field of the request that is at fault, e.g. `messages[0].content[1]`. */
  readonly param?: string | undefined;
  /** Seconds after which a retry may work; sent as `Retry-After`. */
  readonly retryAfter?: number | undefined;
  /** Who can act on the error. @default `'usage'` for a status below 500, otherwise `'environment'` */
  readonly kind?: ErrorKind | undefined;
  readonly cause?: unknown;
}

/** A request that the server rejects or cannot answer, or an upstream that fails. */
export class ServeError extends MmtokError {
  readonly status: number;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, details: ServeErrorDetails) {
    const { cause, kind = details.status < 500 ? 'usage' : 'environment' } = details;
    super(code, message, { cause, kind });
    this.status = details.status;
    this.param = details.param;
    this.retryAfter = details.retryAfter;
  }
}

/** The request is invalid (400, or another 4xx that fits better). */
export class BadRequestError extends ServeError {
  constructor(message: string, details: Partial<ServeErrorDetails> = {}) {
    super('MMTOK_BAD_REQUEST', message, { status: 400, ...details });
  }
}

/** The request exceeds a limit of this server. */
export class LimitError extends ServeError {
  constructor(message: string, details: Partial<ServeErrorDetails> = {}) {
    super('MMTOK_LIMIT', message, { status: 400, ...details });
  }
}

/** The queue is full. */
export class BusyError extends ServeError {
  constructor(message: string, retryAfter: number) {
    super('MMTOK_BUSY', message, { status: 429, retryAfter });
  }
}

/** The request took too long. */
export class TimeoutError extends ServeError {
  constructor(message: string, status: 408 | 504 = 504) {
    super('MMTOK_TIMEOUT', message, { status });
  }
}

/** The client closed its connection before the answer; visible only in logs and metrics. */
export class ClientGoneError extends ServeError {
  constructor() {
    super('MMTOK_CLIENT_GONE', 'The client closed its connection before the answer.', { status: 499 });
  }
}

/** The upstream server cannot be reached, or its engine is dead. */
export class UpstreamUnavailableError extends ServeError {
  constructor(message: string, details: Partial<ServeErrorDetails> = {}) {
    super('MMTOK_UPSTREAM_UNAVAILABLE', message, { status: 503, ...details });
  }
}

/** The upstream server answered with an error; `status` and `body` come from that server. */
export class UpstreamError extends ServeError {
  /** What the upstream server wrote, as text. */
  readonly body: string;

  constructor(status: number, body: string) {
    super('MMTOK_UPSTREAM', `The upstream server answered ${status}: ${body.slice(0, 500)}`, { status });
    this.body = body;
  }
}

/** Rows of an image that must not be sent: wrong shape, not finite, or empty. */
export class InvalidRowsError extends ServeError {
  constructor(message: string) {
    super('MMTOK_INVALID_ROWS', message, { status: 500 });
  }
}

/**
 * The server cannot start. `kind` says why: the options (`'usage'`, such as a missing API key), the model (`'data'`), or this
 * machine (`'environment'`, such as a port in use).
 */
export class ServeStartError extends ServeError {
  constructor(kind: ErrorKind, message: string, options: { readonly cause?: unknown } = {}) {
    super('MMTOK_SERVE_START', message, { status: 500, kind, ...options });
  }
}

/** OpenAI's error body. An error that is not an {@link MmtokError} is a bug, so clients get no details. */
export function errorBody(error: unknown): { readonly error: Readonly<Record<string, unknown>> } {
  const status = statusOf(error);
  const known = MmtokError.isInstance(error);
  return {
    error: {
      message: known ? error.message : 'The server failed to process this request. See its log.',
      type: TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error'),
      param: error instanceof ServeError ? (error.param ?? null) : null,
      code: known ? error.code : 'MMTOK_INTERNAL',
    },
  };
}

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

/**
 * The HTTP status of an error: its own; 400 for errors of other mmtok packages that are caused by the request, such as an
 * impossible budget or an unreadable image; otherwise 500.
 */
export function statusOf(error: unknown): number {
  if (error instanceof ServeError) return error.status;
  return MmtokError.isInstance(error) && error.kind !== 'environment' ? 400 : 500;
}
