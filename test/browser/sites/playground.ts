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
  const settled = page.locator('[data-engine=ready], [data-engine=failed]');
  return (await settled.getAttribute('data-engine')) as 'ready' | 'failed';
}

/** Both answers, as the page shows them. */
interface ShownAnswers {
  readonly all: string;
  readonly kept: string;
}

/** Waits until both answers are measured and belong to what the page is set to, and reads them. */
export async function answersOf(page: Page): Promise<ShownAnswers> {
  const shown = await page.waitForFunction(() => {
    const answers = [...document.querySelectorAll('.answer')];
    const isMeasured = answers.every(
      (answer) =>
        answer.getAttribute('aria-busy') !== 'true' && answer.querySelector('.badge-measured') !== null,
    );
    if (answers.length !== 2 || !isMeasured) return undefined;
    const text = (which: string): string =>
      document.querySelector(`[data-answer=${which}] .answer-text`)?.textContent?.trim() ?? '';
    return { all: text('all'), kept: text('kept') };
  });
  return (await shown.jsonValue()) as ShownAnswers;
}

/** Waits until the page keeps this number of tokens, and reads their indices, ascending. */
export async function keptOf(page: Page, tokens: number): Promise<readonly number[]> {
  const kept = await page.waitForFunction((count) => {
    const names = document.querySelector('.token-table')?.getAttribute('data-kept') ?? '';
    const indices = names.split(' ').filter(Boolean).map(Number);
    return indices.length === count ? indices : undefined;
  }, tokens);
  return (await kept.jsonValue()) as readonly number[];
}

/** Opens or closes everything that can be opened, and waits until the page shows it. */
export async function setDetails(page: Page, isOpen: boolean): Promise<void> {
  await page.evaluate((open) => {
    for (const details of document.querySelectorAll('details')) details.open = open;
  }, isOpen);
  // The table's rows come with the event that follows.
  await page.waitForFunction(
    (open) => (document.querySelector('.token-table tbody tr') !== null) === open,
    isOpen,
  );
}

/** A promise that passes once it is opened, so that a test decides when the server sends a file. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
