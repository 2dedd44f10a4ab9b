// Who may send requests: an API key, compared in constant time; without a key, only requests to localhost.

import { createHash, timingSafeEqual } from 'node:crypto';
import { BadRequestError, ServeError } from '../errors.js';

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
