// The example apps, built from the packed packages; those with a page are opened in Chromium.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { chromiumPath } from '../browser/chromium.js';
import { readManifest, root } from '../workspace.js';
import { exampleApps, installExampleApps, readCatalog } from './example-apps.js';
import { run } from './run.js';

let folder: string;
beforeAll(async () => {
  folder = await installExampleApps(inject('packed'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the apps take the versions that the repository is tested with', async () => {
  const catalog = await readCatalog();
  for (const app of exampleApps) {
    const { dependencies, devDependencies } = readManifest(join(root, 'examples', app));
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies }))
      expect([app, name, range]).toEqual([
        app,
        name,
        name.startsWith('@mmtok/') ? 'latest' : (catalog.get(name) ?? range),
      ]);
  }
});

const build = (app: string): Promise<string> => run('npm', ['run', 'build'], join(folder, app));

test('ai-sdk answers through generateText and streamText', async () => {
  await build('ai-sdk');
  const output = await run('npm', ['start', '--silent'], join(folder, 'ai-sdk'));
  expect(output).toMatch(/^Is there a cross in this picture\? yes \(\d+ input tokens\)/);
  expect(output.match(/visionTokens: 576/g)).toHaveLength(2);
  expect(output).toMatch(/keptTokens: 57/);
  expect(output).toMatch(/keptTokens: 64/);
});

describe.skipIf(chromiumPath === undefined)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    const { chromium } = await import('playwright-core');
    browser = await chromium.launch({
      executablePath: chromiumPath as string,
      args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    });
  });
  afterAll(() => browser?.close());

  test('browser-worker answers, and dims dropped patches', async () => {
    await build('browser-worker');
    const site = await serveFolder(join(folder, 'browser-worker/dist'));
    try {
      const { page, complaints } = await open(browser, site.origin);
      await page.waitForFunction(`(${brightness})() > 0`);
      const before = await page.evaluate(`(${brightness})()`);
      await page.click('#ask:enabled');
      await page.waitForFunction("document.getElementById('facts').textContent !== ''");
      expect(await page.textContent('#answer')).toBe('star');
      expect(await page.textContent('#facts')).toMatch(/^57 of 576 vision tokens/);
      await page.waitForFunction(`(${brightness})() < ${before} * 0.6`);
      const indices = JSON.parse((await page.getAttribute('html', 'data-indices')) ?? '[]') as number[];
      expect(indices).toHaveLength(57);
      expect(complaints).toEqual([]);
    } finally {
      await site.close();
    }
  });

  test('next answers', async () => {
    await build('next');
    const site = await startNext(join(folder, 'next'));
    try {
      const { page, complaints } = await open(browser, site.origin);
      await page.click('button:enabled');
      await page.waitForFunction("document.querySelector('form').dataset.indices !== '[]'");
      expect(await page.textContent('output')).toBe('star');
      expect(await page.textContent('[role=status]')).toBe('57 of 576 vision tokens');
      expect(complaints).toEqual([]);
    } finally {
      await site.close();
    }
  });

  test('webcam answers frame after frame', async () => {
    await build('webcam');
    const site = await serveFolder(join(folder, 'webcam/dist'));
    try {
      const { page, complaints } = await open(browser, site.origin);
      await page.click('#toggle:enabled');
      await page.waitForFunction('Number(document.documentElement.dataset.answered) >= 3');
      expect(await page.textContent('#facts')).toMatch(/^57 of 576 vision tokens/);
      await page.click('#toggle');
      expect(await page.textContent('#toggle')).toBe('Start');
      expect(complaints).toEqual([]);
    } finally {
      await site.close();
    }
  });
});

/** The mean of the canvas's pixels, as an expression for the page. */
const brightness = `() => {
  const canvas = document.getElementById('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, value, i) => (i % 4 === 3 ? sum : sum + value), 0) / data.length;
}`;

/** Opens a page, and notes its errors and whatever it asks other hosts for. */
async function open(browser: Browser, origin: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  page.setDefaultTimeout(240_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) complaints.push(`asked for ${url}`);
  });
  await page.goto(origin);
  return { page, complaints };
}

/** A site that is served. */
interface Site {
  readonly origin: string;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
};

/** Serves the files of a folder, isolated. */
async function serveFolder(directory: string): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(directory, pathname === '/' ? 'index.html' : pathname);
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-length': size,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
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

/** Runs `next start` on a free port until it says its address. */
async function startNext(directory: string): Promise<Site> {
  const next = join(folder, 'node_modules/next/dist/bin/next');
  const child = spawn(process.execPath, [next, 'start', '-p', '0'], {
    cwd: directory,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const origin = await new Promise<string>((resolve, reject) => {
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes) => {
        printed += bytes;
        const [, port] = /http:\/\/localhost:(\d+)[\s\S]*Ready/.exec(printed) ?? [];
        if (port !== undefined) resolve(`http://localhost:${port}`);
      });
    }
    exited.then(() => reject(new Error(`next start ended:\n${printed}`)), reject);
  });
  return {
    origin,
    async close() {
      child.kill();
      await exited;
    },
  };
}
