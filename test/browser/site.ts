// A local server for pages under test: scripts bundled from source, folders of files, and the headers that isolate a page,
// so that it may use shared memory and threads.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { build } from 'esbuild';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
};

/** The folder of the ONNX Runtime that transformers.js loads in browsers. */
export const onnxruntimeWeb: string = dirname(
  createRequire(createRequire(import.meta.url).resolve('@huggingface/transformers')).resolve(
    'onnxruntime-web',
  ),
);

/** What a site consists of. */
export interface SiteOptions {
  /** Entry points, absolute: `…/pages/page.ts` is served as `/page.js`. */
  readonly scripts: readonly string[];
  /** Folders by the paths under which their files are served, such as `{ '/models/': 'build/models' }`. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Who bundles them: esbuild, or Vite, which also minifies. @default 'esbuild' */
  readonly bundler?: 'esbuild' | 'vite';
}

/** A site that is served. */
export interface Site {
  /** E.g. `http://localhost:41234`; `/` is an empty page. */
  readonly origin: string;
  close(): Promise<void>;
}

/** Bundles the scripts and serves the site on a free port. */
export async function startSite({ scripts, folders = {}, bundler = 'esbuild' }: SiteOptions): Promise<Site> {
  const texts = await (bundler === 'vite' ? bundleWithVite : bundleWithEsbuild)(scripts);
  texts.set('/index.html', '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">');

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

/** Files by the paths under which they are served. */
type Texts = Map<string, string | Uint8Array>;

async function bundleWithEsbuild(scripts: readonly string[]): Promise<Texts> {
  const { outputFiles } = await build({
    entryPoints: [...scripts],
    bundle: true,
    splitting: true,
    platform: 'browser',
    format: 'esm',
    outdir: '/',
    write: false,
    conditions: ['@mmtok/source'],
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path, contents]));
}

async function bundleWithVite(scripts: readonly string[]): Promise<Texts> {
  const vite = await import('vite');
  const built = await vite.build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['@mmtok/source', ...vite.defaultClientConditions] },
    build: {
      write: false,
      reportCompressedSize: false,
      rolldownOptions: {
        input: [...scripts],
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].js' },
      },
    },
  });
  const { output } = [built].flat()[0] as {
    output: readonly { fileName: string; code?: string; source?: string | Uint8Array }[];
  };
  return new Map(output.map(({ fileName, code, source }) => [`/${fileName}`, code ?? source ?? '']));
}
