// Who may send requests: clients with the API key, compared in constant time; without a key, only clients on this machine.

import { createHash, timingSafeEqual } from 'node:crypto';
import { BadRequestError, ServeError, ServeStartError } from '../errors.js';

/** Whether only this machine can reach a server that listens on `host`. */
export const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host);

/** Where a server listens, and what it asks of clients. */
export interface Access {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  readonly apiKey?: string | undefined;
  /** @default false */
  readonly allowAnonymous?: boolean | undefined;
}

/**
 * Checks who can reach the server.
 * @throws ServeStartError if others can reach it without a key.
 */
export function checkAccess({ host = '127.0.0.1', apiKey, allowAnonymous = false }: Access): void {
  if (isLoopback(host) || apiKey !== undefined || allowAnonymous) return;
  throw new ServeStartError(
    'usage',
    `Cannot listen on ${host} without an API key: others could reach the server. Set a key (apiKey; on the command line ` +
      'MMTOK_API_KEY or --api-key-file), or, if a gateway authenticates clients, allow requests without one (allowAnonymous; ' +
      '--allow-anonymous).',
  );
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Checks `Authorization: Bearer …` against `apiKey`. It compares digests, so that neither time nor length reveals anything
 * about the key.
 */
export function createKeyCheck(apiKey: string | undefined): (request: Request) => void {
  if (apiKey === undefined) return () => undefined;
  const expected = digest(apiKey);
  return (request) => {
    const [, key] = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
    if (key === undefined || !timingSafeEqual(digest(key), expected)) {
      throw new ServeError(
        'MMTOK_UNAUTHORIZED',
        'The API key is missing or wrong. Send it as Authorization: Bearer <key>.',
        {
          status: 401,
        },
      );
    }
  };
}

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * A server without a key on a loopback address answers only requests whose host is localhost. Otherwise a web page could reach
 * it through a name that resolves to 127.0.0.1.
 */
export function checkLocalHost(request: Request): void {
  const { hostname } = new URL(request.url);
  if (LOCAL_HOSTS.has(hostname)) return;
  throw new BadRequestError(`This server answers only requests to localhost; got the host '${hostname}'.`, {
    status: 403,
  });
}
