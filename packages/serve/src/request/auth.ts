// Who may ask: an API key, compared in constant time, and for keyless servers on this machine a check of the Host header.

import { createHash, timingSafeEqual } from 'node:crypto';
import { BadRequestError, ServeError } from '../errors.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * A check of a request's `Authorization: Bearer …` against `apiKey`. Digests are compared, so that neither the time nor the
 * length tells anything about the key.
 */
export function createKeyCheck(apiKey: string | undefined): (request: Request) => void {
  if (apiKey === undefined) return () => undefined;
  const expected = digest(apiKey);
  return (request) => {
    const [, key] = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
    if (key === undefined || !timingSafeEqual(digest(key), expected)) {
      throw new ServeError(
        'MMTOK_UNAUTHORIZED',
        'The API key is missing or wrong: Authorization: Bearer <key>.',
        {
          status: 401,
        },
      );
    }
  };
}

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * A keyless server on a loopback address answers only requests that address it so: or else a web page could reach it by a
 * name of its own that leads to 127.0.0.1.
 */
export function checkLocalHost(request: Request): void {
  const { hostname } = new URL(request.url);
  if (LOCAL_HOSTS.has(hostname)) return;
  throw new BadRequestError(`This server answers requests to localhost only, got the host '${hostname}'.`, {
    status: 403,
  });
}
