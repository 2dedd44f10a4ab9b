// Pages of a built site in headless Chromium: what was wrong with them, what they asked other servers for, and how accessible
// they are.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath } from '../chromium.js';
import { type Server, type ServerOptions, serve } from './static-server.js';

/** Starts the browser. @param graphics flags for its GPU process. */
export async function launch(graphics: readonly string[] = ['--disable-gpu']): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return await chromium.launch({
    executablePath: chromiumPath as string,
    // A camera that shows a test pattern, without asking.
    args: [
      '--headless',
      '--no-sandbox',
      ...graphics,
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

/** How long a page may take for anything that a test waits for, in milliseconds: machines differ, and may be busy. */
export const PATIENCE = 300_000;

/** Opens a page of a site on its own server. Waiting for something on it takes at most {@link PATIENCE}. */
export async function open(
  browser: Browser,
  options: ServerOptions & {
    /** The page, relative to the site. @default '' */
    readonly path?: string;
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
  context.setDefaultTimeout(PATIENCE);
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
  await page.goto(`${server.url}${options.path ?? ''}${options.hash ?? ''}`);
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

/** What axe-core finds on the page, serious and critical findings only. */
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
