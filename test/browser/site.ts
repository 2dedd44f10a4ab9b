// A local server for pages under test: scripts bundled from source, folders of files, and the headers that isolate a page,
// so that it may use shared memory and threads.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { build } from 'esbuild';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
};

/** What a site consists of. */
export interface SiteOptions {
  /** Entry points, absolute: `…/pages/page.ts` is served as `/page.js`. */
  readonly scripts: readonly string[];
  /** Folders by the paths under which their files are served, such as `{ '/models/': '/tmp/models' }`. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Whether the scripts are minified. */
  readonly minify?: boolean;
}

/** A site that is served. */
export interface Site {
  /** E.g. `http://localhost:41234`; `/` is an empty page that has loaded every script named `page`. */
  readonly origin: string;
  close(): Promise<void>;
}

/** Bundles the scripts and serves the site on a free port. */
export async function startSite({ scripts, folders = {}, minify = false }: SiteOptions): Promise<Site> {
  const { outputFiles } = await build({
    entryPoints: [...scripts],
    bundle: true,
    splitting: true,
    minify,
    platform: 'browser',
    format: 'esm',
    outdir: '/',
    write: false,
    conditions: ['@mmtok/source'],
    logLevel: 'silent',
  });
  const texts = new Map<string, string | Uint8Array>(
    outputFiles.map(({ path, contents }) => [path, contents]),
  );
  texts.set(
    '/index.html',
    '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
  );

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = decodeURIComponent(pathname === '/' ? '/index.html' : pathname);
    const headers = {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cache-control': 'no-store',
    };
    const text = texts.get(path);
    if (text !== undefined) {
      response.writeHead(200, headers).end(text);
      return;
    }
    const mount = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    const file = mount === undefined ? undefined : join(folders[mount] as string, path.slice(mount.length));
    const size = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })?.size;
    if (file === undefined || size === undefined || path.includes('..')) {
      response.writeHead(404, headers).end();
      return;
    }
    response.writeHead(200, { ...headers, 'content-length': size });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
