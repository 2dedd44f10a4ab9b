// The options of the server, their defaults and their check.

import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { Engine } from './engine.js';
import { ServeStartError } from './errors.js';
import type { RemoteImageOptions } from './images/remote.js';
import type { Log } from './observe/log.js';

/** Bounds of what requests may ask of the server. */
export interface Limits {
  /** Requests in flight, bodies included; more are answered 429. @default 128 */
  readonly requests: number;
  /** Bytes of a body, and of one remote image. @default 20 MiB */
  readonly bodyBytes: number;
  /** Milliseconds in which a body must arrive. @default 30 000 */
  readonly bodyMs: number;
  /** Milliseconds for a whole request, its stream included. @default 300 000 */
  readonly requestMs: number;
  /** Images of a request. @default 8 */
  readonly images: number;
  /** Pixels of a request's images together, read from their headers before decoding. @default 50 000 000 */
  readonly pixels: number;
  /** Milliseconds to fetch one remote image. @default 10 000 */
  readonly imageFetchMs: number;
  /** Characters of the messages' texts. @default 200 000 */
  readonly textLength: number;
  /** Tokens of an answer that a request may ask for. @default 4096 */
  readonly outputTokens: number;
  /** Answers of a request that it may ask for (`n`). @default 4 */
  readonly choices: number;
}

/** Options of `startServer`. */
export interface ServerOptions {
  /** Who answers: `createLocalEngine(…)` or `createVllmEngine(…)`. The server closes it. */
  readonly engine: Engine;
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** The port to listen on; 0 takes a free one. @default 8080 */
  readonly port?: number | undefined;
  /** Clients must send it as `Authorization: Bearer <key>`. Needed where `host` is not a loopback address. */
  readonly apiKey?: string | undefined;
  /** Answers anybody without a key on any address, for servers behind a gateway that checks. @default false */
  readonly allowAnonymous?: boolean | undefined;
  /** Hosts that images may be fetched from. @default none: only data URIs */
  readonly remoteImages?: RemoteImageOptions | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Milliseconds that requests in flight have to end when the server closes. @default 30 000 */
  readonly shutdownMs?: number | undefined;
  /** Receives one entry per request and event. @default JSON lines on standard output */
  readonly log?: Log | undefined;
}

/** {@link ServerOptions} after the check. */
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

const bound = (fallback: number) => z.int().positive().default(fallback);

const limitsSchema = z.strictObject({
  requests: bound(128),
  bodyBytes: bound(20 * 2 ** 20),
  bodyMs: bound(30_000),
  requestMs: bound(300_000),
  images: bound(8),
  pixels: bound(50_000_000),
  imageFetchMs: bound(10_000),
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
  shutdownMs: z.int().nonnegative().default(30_000),
  log: z.custom<Log>((value) => typeof value === 'function', 'expected a function').optional(),
});

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/**
 * Checks who could ask.
 * @throws ServeStartError where strangers could, without a key.
 */
export function checkAccess({
  host = '127.0.0.1',
  apiKey,
  allowAnonymous = false,
}: Pick<ServerOptions, 'host' | 'apiKey' | 'allowAnonymous'>): void {
  if (LOOPBACK.test(host) || apiKey !== undefined || allowAnonymous) return;
  throw new ServeStartError(
    `The server is to listen on ${host}, where others can reach it, without an API key. Set apiKey, or allowAnonymous if ` +
      'something in front of it checks who asks.',
  );
}

/**
 * Checks the options of the server.
 * @throws InvalidOptionsError; ServeStartError where strangers could ask without a key.
 */
export function checkServerOptions(options: unknown): CheckedServerOptions {
  const { allowAnonymous, ...checked } = parseOptions('options of startServer', schema, options);
  const { host, apiKey, remoteImages, log } = checked;
  checkAccess({ host, apiKey, allowAnonymous });
  return { ...checked, apiKey, remoteImages, log, isLocal: LOOPBACK.test(host) };
}
