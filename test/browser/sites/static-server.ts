// A static server on a free port, with or without the headers that isolate pages, so that they may use threads.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** What is served, and how. */
export interface ServerOptions {
  readonly folder: string;
  /** Sends the headers that isolate pages. */
  readonly isolated: boolean;
  /** The folder's path on the server: sites must not depend on lying at the root. @default '/site/' */
  readonly base?: string;
  /** What to send instead of some files, by their path in the folder; `null` for a file that is missing. */
  readonly instead?: Readonly<Record<string, string | Uint8Array | null>>;
  /** What to wait for before some files are sent, by their path in the folder. */
  readonly after?: Readonly<Record<string, Promise<void>>>;
}

/** A server that runs. */
export interface Server {
  /** E.g. `http://localhost:41234/site/`. */
  readonly url: string;
  /** The files that were asked for, by their path in the folder. */
  readonly requested: readonly string[];
  close(): Promise<void>;
}

/** Starts a server. */
export async function serve({
  folder,
  isolated,
  base = '/site/',
  instead = {},
  after = {},
}: ServerOptions): Promise<Server> {
  const requested: string[] = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const name = normalize(decodeURIComponent(pathname)).slice(base.length) || 'index.html';
    requested.push(name);
    await after[name];
    const headers = {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'cache-control': 'no-store',
      ...(isolated && ISOLATION),
    };
    const file = join(folder, name);
    const size = pathname.startsWith(base) ? statSync(file, { throwIfNoEntry: false })?.size : undefined;
    const other = instead[name];
    if (other != null) response.writeHead(200, headers).end(other);
    else if (other === null || size === undefined) response.writeHead(404, headers).end();
    else {
      response.writeHead(200, { ...headers, 'content-length': size });
      createReadStream(file).pipe(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    requested,
    url: `http://localhost:${(server.address() as AddressInfo).port}${base}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
