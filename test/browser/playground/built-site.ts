// The page as it is published: built once for all tests, looked at in a headless Chromium.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { root } from '../../workspace.js';
import { chromiumPath } from '../chromium.js';
import { type Server, type ServerOptions, serve } from './static-server.js';

const cache = join(root, '.cache');

/** Where screenshots go. Ignored by git. */
export const screenshots: string = join(cache, 'playground-screenshots');

/** Builds the site, and returns its folder. */
export async function buildSite(): Promise<string> {
  const outDir = join(cache, 'playground-site');
  await build({
    configFile: join(root, 'apps/playground/vite.config.ts'),
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, reportCompressedSize: false },
  });
  return outDir;
}

/** Starts the browser. */
export async function launch(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return await chromium.launch({
    executablePath: chromiumPath as string,
    // A camera that shows a test pattern, without asking.
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  });
}

/** An open page, and what was wrong with it. */
export interface Tab {
  readonly page: Page;
  readonly server: Server;
  /** Errors of the console and of scripts. */
  readonly errors: readonly string[];
  /** Requests to other places than the page's own server. */
  readonly outside: readonly string[];
  close(): Promise<void>;
}

/** Opens the page on a server of its own. */
export async function open(
  browser: Browser,
  options: ServerOptions & {
    readonly hash?: string;
    /** Folders to serve in the place of models of the Hugging Face hub, by their ids. */
    readonly hub?: Readonly<Record<string, string>>;
  },
): Promise<Tab> {
  const server = await serve(options);
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const [errors, outside]: [string[], string[]] = [[], []];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(server.url) && !/^(blob|data):/.test(url)) outside.push(url);
  });
  for (const [id, folder] of Object.entries(options.hub ?? {})) {
    await context.route(`https://huggingface.co/${id}/resolve/main/**`, async (route) => {
      const file = join(folder, new URL(route.request().url()).pathname.split('/resolve/main/')[1] ?? '');
      const headers = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };
      await route.fulfill(existsSync(file) ? { path: file, headers } : { status: 404, headers });
    });
  }
  await page.goto(`${server.url}${options.hash ?? ''}`);
  return {
    page,
    server,
    errors,
    outside,
    async close() {
      await context.close();
      await server.close();
    },
  };
}

/** Waits until the model has loaded, or has failed to. */
export async function engineOf(page: Page): Promise<'ready' | 'failed'> {
  await page.waitForSelector('[data-engine=ready], [data-engine=failed]', { timeout: 60_000 });
  return (await page.getAttribute('.engine', 'data-engine')) as 'ready' | 'failed';
}

/** Waits until both answers are measured, and reads them. */
export async function answersOf(page: Page): Promise<{ readonly all: string; readonly kept: string }> {
  await page.waitForFunction(
    () =>
      document.querySelectorAll('.answer .badge-measured').length === 2 &&
      document.querySelector('.answer[aria-busy=true]') === null,
    undefined,
    { timeout: 60_000 },
  );
  const text = async (which: string): Promise<string> =>
    (await page.textContent(`[data-answer=${which}] .answer-text`))?.trim() ?? '';
  return { all: await text('all'), kept: await text('kept') };
}

/** The kept tokens that the page names, ascending. */
export async function keptOf(page: Page): Promise<readonly number[]> {
  const kept = (await page.getAttribute('.token-table', 'data-kept')) ?? '';
  return kept.split(' ').filter(Boolean).map(Number);
}

/** What axe-core finds, serious and critical findings only. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  const findings = (await page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html) })))`,
  )) as readonly { readonly id: string; readonly impact: string; readonly nodes: readonly string[] }[];
  return findings
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).join(' | ')}`);
}
