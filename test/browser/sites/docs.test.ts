// The built documentation in Chromium, on a server that has it under a base path and knows nothing else, as on GitHub Pages:
// search, the embedded playground, accessibility, and what it looks like.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../chromium.js';
import { buildDocs, screenshots } from './docs.js';
import { launch, open, seriousFindings, type Tab } from './tab.js';

const BASE = '/mmtok/';

/** One page of each kind. */
const PAGES = {
  home: '',
  guide: 'guide/node.html',
  figure: 'guide/how-it-works.html',
  results: 'results/index.html',
  reference: 'reference/@mmtok/core/index.html',
  playground: 'playground.html',
} as const;

describe.skipIf(chromiumPath === undefined)('the built documentation', () => {
  let [browser, folder] = [] as unknown as [Browser, string];
  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    [folder, browser] = await Promise.all([buildDocs(BASE), launch()]);
  }, 600_000);
  afterAll(() => browser?.close());

  /** Opens a page, and expects that nothing went wrong and nobody else was asked when it is closed. */
  async function visit(path: string, act: (tab: Tab) => Promise<void>): Promise<void> {
    const tab = await open(browser, { folder, isolated: false, base: BASE, path });
    try {
      await act(tab);
      expect(tab.errors).toEqual([]);
      expect(tab.outside).toEqual([]);
    } finally {
      await tab.close();
    }
  }

  test('leads from the home page to the first guide', () =>
    visit('', async ({ page, server }) => {
      await page.click('.VPHero a.brand');
      await page.waitForURL(`${server.url}guide/node.html`);
      expect(await page.textContent('h1')).toMatch(/Node/);
    }));

  test('finds a word without a network, and opens the page that has it', () =>
    visit('', async ({ page, server }) => {
      await page.click('.VPNavBarSearchButton, .DocSearch-Button');
      await page.fill('.VPLocalSearchBox input', 'saliency');
      const hit = page.locator('.VPLocalSearchBox .result').first();
      await hit.waitFor();
      expect(await hit.textContent()).toMatch(/saliency/i);
      await hit.click();
      await page.waitForFunction(() => document.querySelector('.VPLocalSearchBox') === null);
      expect(page.url().startsWith(server.url)).toBe(true);
      expect(page.url()).not.toBe(server.url);
      expect(await page.textContent('main')).toMatch(/saliency/i);
    }));

  test('embeds the playground, whose model loads and answers', () =>
    visit(PAGES.playground, async ({ page }) => {
      const playground = page.frameLocator('iframe');
      await playground.locator('[data-engine=ready]').waitFor({ timeout: 120_000 });
      await playground.locator('.answer .badge-measured').nth(1).waitFor({ timeout: 60_000 });
      expect(await playground.locator('.verdict').textContent()).toContain('of 576 tokens');
    }));

  describe.each(Object.entries(PAGES))('%s', (name, path) => {
    test.each(['light', 'dark'] as const)('is readable on phones and desktops, %s', (colorScheme) =>
      visit(path, async ({ page }) => {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const [device, width, height] of [
          ['desktop', 1280, 900],
          ['phone', 390, 844],
        ] as const) {
          await page.setViewportSize({ width, height });
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          expect(await seriousFindings(page)).toEqual([]);
          await page.screenshot({ path: join(screenshots, `${name}-${device}-${colorScheme}.png`) });
        }
      }),
    );
  });
});
