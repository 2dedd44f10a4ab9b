// The options of the server, with their defaults and validation.

import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { Engine } from './engine.js';
import type { RemoteImageOptions } from './images/remote.js';
import type { Log } from './observe.js';
import { checkAccess, isLoopback } from './request/auth.js';

/** Limits for requests. */
export interface Limits {
  /** Requests in flight, including those whose body is still arriving; further ones get 429. @default 128 */
  readonly requests: number;
  /** Bytes of a request body, and of one remote image. @default 20 MiB */
  readonly bodyBytes: number;
  /** Bytes of the bodies of all requests in flight together; further requests get 429. @default 512 MiB */
  readonly totalBodyBytes: number;
  /** Milliseconds within which a body must arrive. @default 30 000 */
  readonly bodyMs: number;
  /** Milliseconds for a whole request, including its stream. @default 300 000 */
  readonly requestMs: number;
  /** Images per request. @default 8 */
  readonly images: number;
  /** Pixels of a request's images together, read from their headers before decoding. @default 50 000 000 */
  readonly pixels: number;
  /** Milliseconds to fetch one remote image. @default 10 000 */
  readonly imageFetchMs: number;
  /** Characters of the messages' texts. @default 200 000 */
  readonly textLength: number;
  /** Tokens per answer. @default 4096 */
  readonly outputTokens: number;
  /** Answers per request (`n`). @default 4 */
  readonly choices: number;
}

/** Options of `startServer`. */
export interface ServerOptions {
  /** The engine: `createLocalEngine(…)` or `createVllmEngine(…)`. The server closes it. */
  readonly engine: Engine;
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** The port to listen on; 0 takes a free one. @default 8080 */
  readonly port?: number | undefined;
  /** Clients must send it as `Authorization: Bearer <key>`. Required unless `host` is a loopback address. */
  readonly apiKey?: string | undefined;
  /** Allow any address without a key, for servers behind a gateway that authenticates. @default false */
  readonly allowAnonymous?: boolean | undefined;
  /** Hosts that images may be fetched from. @default none, only data URIs are accepted */
  readonly remoteImages?: RemoteImageOptions | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Milliseconds that requests in flight have to finish when the server closes. @default `limits.requestMs` */
  readonly shutdownMs?: number | undefined;
  /** Receives one entry per request and event. @default JSON lines on standard output */
  readonly log?: Log | undefined;
}

/** {@link ServerOptions} after validation. */
export interface CheckedServerOptions {
  readonly engine: Engine;
  readonly host: string;
  readonly port: number;
  readonly apiKey: string | undefined;
  readonly isLocal: boolean;
  readonly remoteImages: RemoteImageOptions | undefined;
  readonly limits: Limits;
  readonly shutdownMs: number;
  readonly log: Log | undefined;
}

/** `setTimeout` treats longer delays as 1 ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

const bound = (fallback: number) => z.int().positive().default(fallback);
const time = (fallback: number) => z.int().positive().max(LONGEST_TIMER).default(fallback);

const limitsSchema = z.strictObject({
  requests: bound(128),
  bodyBytes: bound(20 * 2 ** 20),
  totalBodyBytes: bound(512 * 2 ** 20),
  bodyMs: time(30_000),
  requestMs: time(300_000),
  images: bound(8),
  pixels: bound(50_000_000),
  imageFetchMs: time(10_000),
  textLength: bound(200_000),
  outputTokens: bound(4096),
  choices: bound(4),
});

const allowEntry = z
  .string()
  .regex(
    /^(?:https?:\/\/)?(?:\*\.)?[a-z0-9.-]+(?::\d+)?$/i,
    'expected a host such as images.example.com, *.example.com or http://localhost:9000',
  );

const schema = z.strictObject({
  engine: z.custom<Engine>(
    (value) => typeof (value as Engine | undefined)?.chat === 'function',
    'expected an engine, e.g. from createLocalEngine() or createVllmEngine()',
  ),
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8080),
  apiKey: z.string().min(8, 'expected at least 8 characters').optional(),
  allowAnonymous: z.boolean().default(false),
  remoteImages: z
    .strictObject({ allow: z.array(allowEntry).min(1), allowPrivateAddresses: z.boolean().optional() })
    .optional(),
  limits: limitsSchema.prefault({}),
  shutdownMs: z.int().nonnegative().max(LONGEST_TIMER).optional(),
  log: z.custom<Log>((value) => typeof value === 'function', 'expected a function').optional(),
});

/**
 * Checks the options of the server.
 * @throws InvalidOptionsError; ServeStartError if others can reach the server without a key.
 */
export function checkServerOptions(options: unknown): CheckedServerOptions {
  const { allowAnonymous, ...checked } = parseOptions('options of startServer', schema, options);
  const { host, apiKey, remoteImages, log, limits } = checked;
  checkAccess({ host, apiKey, allowAnonymous });
  const shutdownMs = checked.shutdownMs ?? limits.requestMs;
  return { ...checked, apiKey, remoteImages, log, shutdownMs, isLocal: isLoopback(host) };
}
