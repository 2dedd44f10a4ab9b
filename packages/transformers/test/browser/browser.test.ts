// createVlm in headless Chromium, on the main thread and in a module worker: tapped, and with the selection that Node makes.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '@huggingface/transformers';
import { type BuildResult, build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVlm } from '../../src/index.js';
import { buildTinyModel, noiseImage, type TinyModel } from '../tiny-models/index.js';
import { findChromium } from './find-chromium.js';
import type { Job, Outcome, PlainTensor } from './page.js';

const here = dirname(fileURLToPath(import.meta.url));
const QUESTION = 'is the cat red ?';

/** The page with everything that it imports, from source. Node's modules may be named, but not reached. */
async function bundle(): Promise<BuildResult<{ metafile: true; write: false }>> {
  return await build({
    absWorkingDir: join(here, '../..'),
    entryPoints: [join(here, 'page.ts')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@mmtok/source'],
    splitting: true,
    outdir: '/',
    write: false,
    metafile: true,
    external: ['node:*'],
    logLevel: 'silent',
  });
}

describe('the package in a bundle for browsers', () => {
  it('reaches no module of Node', async () => {
    const { metafile } = await bundle();
    const own = Object.entries(metafile.inputs).filter(([path]) => path.startsWith('src/'));
    expect(own.some(([path]) => path.endsWith('files/browser.ts'))).toBe(true);
    expect(own.some(([path]) => path.endsWith('files/node.ts'))).toBe(false);
    const imported = own.flatMap(([, { imports }]) => imports.map(({ path }) => path));
    expect(imported.filter((path) => path.startsWith('node:'))).toEqual([]);
  });
});

const chromium = findChromium();

describe.skipIf(chromium === undefined)('createVlm in Chromium', () => {
  let directory: string;
  let server: Server;
  let address: string;
  let tiny: TinyModel;
  let job: Job;
  let expected: readonly number[] | undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'browser-'));
    tiny = await buildTinyModel('llava', { directory });
    const { outputFiles } = await bundle();
    const library = dirname(createRequire(import.meta.url).resolve('@huggingface/transformers'));
    const runtime = dirname(createRequire(library).resolve('onnxruntime-web'));
    server = createServer((request, response) => {
      void answer(request.url ?? '/');
      async function answer(url: string): Promise<void> {
        const types: Readonly<Record<string, string>> = {
          '.js': 'text/javascript',
          '.mjs': 'text/javascript',
          '.wasm': 'application/wasm',
        };
        const bundled = outputFiles.find(({ path }) => path === url)?.contents;
        const file = url.startsWith('/models/')
          ? join(directory, url.slice('/models/'.length))
          : url.startsWith('/ort/')
            ? join(runtime, url.slice('/ort/'.length))
            : undefined;
        const page =
          url === '/'
            ? new TextEncoder().encode('<script type="module" src="/page.js"></script>')
            : undefined;
        const body = page ?? bundled ?? (file && (await readFile(file).catch(() => undefined)));
        if (body === undefined) response.writeHead(404).end();
        else response.writeHead(200, { 'content-type': types[extname(url)] ?? 'text/html' }).end(body);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    const { inputs, dispose } = await tiny.load();
    const prompt = await inputs(QUESTION, [noiseImage(tiny.imageSize)]);
    await dispose();
    const plain = ({ type, dims, data }: Tensor): PlainTensor => ({
      type,
      dims,
      data: Array.from(data as Float32Array, Number),
    });
    const names = ['input_ids', 'attention_mask', 'pixel_values'];
    job = {
      model: '/models/llava',
      question: QUESTION,
      inputs: Object.fromEntries(names.map((name) => [name, plain(prompt[name] as Tensor)])),
    };
    const vlm = await createVlm(tiny.path, { keep: 4, minVisionTokens: 1 });
    await vlm.handle.generate({ ...prompt, max_new_tokens: 2, mmtok: { question: QUESTION } });
    expected = vlm.handle.lastReport?.images[0]?.indices;
    await vlm.dispose();
  });
  afterAll(async () => {
    server?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it.each(['main thread', 'worker'] as const)('selects on the %s what Node selects', async (place) => {
    const { chromium: launcher } = await import('playwright-core');
    const browser = await launcher.launch({ executablePath: chromium as string, args: ['--no-sandbox'] });
    try {
      const tab = await browser.newPage();
      const complaints: string[] = [];
      tab.on('pageerror', (error) => complaints.push(String(error)));
      await tab.goto(address);
      await tab.waitForFunction('globalThis.work !== undefined', undefined, { timeout: 30_000 });
      const code =
        place === 'main thread'
          ? 'globalThis.work(job)'
          : `new Promise((resolve) => {
              const worker = new Worker('/page.js', { type: 'module' });
              worker.onmessage = ({ data }) => resolve(data);
              worker.onerror = ({ message }) => resolve({ error: message });
              worker.postMessage(job);
            })`;
      const outcome = await tab.evaluate(
        `(async () => { const job = ${JSON.stringify(job)}; return await ${code}; })()`,
      );
      expect(outcome).toEqual({
        tap: true,
        indices: expected,
        source: 'preProjector',
        backends: ['wasm'],
        text: expect.any(String),
        pieces: (outcome as Outcome).text,
        keptTokens: 4,
      } satisfies Outcome);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
