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
  });
  afterAll(() => browser?.close());

  /**
   * Opens a page and waits until Vue has mounted it, before which buttons do nothing. Expects that nothing went wrong and nobody
   * else was asked when it is closed.
   */
  async function visit(path: string, act: (tab: Tab) => Promise<void>): Promise<void> {
    const tab = await open(browser, { folder, isolated: false, base: BASE, path });
    try {
      await tab.page.waitForFunction("document.getElementById('app').__vue_app__ !== undefined");
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
      // The address changes before the page does.
      await page.locator('.vp-doc h1', { hasText: 'Node' }).waitFor();
    }));

  test('finds a word without a network, and opens the page that has it', () =>
    visit('', async ({ page, server }) => {
      await page.click('.VPNavBarSearchButton, .DocSearch-Button');
      await page.fill('.VPLocalSearchBox input', 'saliency');
      const hit = page.locator('.VPLocalSearchBox .result').first();
      await hit.waitFor();
      expect(await hit.textContent()).toMatch(/saliency/i);
      await hit.click();
      await page.waitForURL((url) => url.href.startsWith(server.url) && url.href !== server.url);
      await page.locator('.VPLocalSearchBox').waitFor({ state: 'detached' });
      await page.locator('.vp-doc', { hasText: /saliency/i }).waitFor();
    }));

  test('embeds the playground, whose model loads and answers', () =>
    visit(PAGES.playground, async ({ page }) => {
      const playground = page.frameLocator('iframe');
      await playground.locator('[data-engine=ready]').waitFor();
      await playground.locator('.answer .badge-measured').nth(1).waitFor();
      await playground.locator('.verdict', { hasText: 'of 576 tokens' }).waitFor();
    }));

  describe.each(Object.entries(PAGES))('%s', (name, path) => {
    test.each(['light', 'dark'] as const)('is readable on phones and desktops, %s', (colorScheme) =>
      visit(path, async ({ page }) => {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.waitForFunction(
          (isDark) => document.documentElement.classList.contains('dark') === isDark,
          colorScheme === 'dark',
        );
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
