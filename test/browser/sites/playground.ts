// The playground as it is published: how to build it, and how to read its page.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { root } from '../../workspace.js';

const cache = join(root, '.cache');

/** Where screenshots go. Ignored by git. */
export const screenshots: string = join(cache, 'playground-screenshots');

/** Builds the site into a folder, as `pnpm playground:build` does, and returns the folder. */
export async function buildSite(outDir: string = join(cache, 'playground-site')): Promise<string> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', outDir, '--emptyOutDir'], {
    cwd: join(root, 'apps/playground'),
    // Vitest's own mode would leave helpers for development in the page.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  return outDir;
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
