// TensorFlow.js in a browser: on isolated pages that Vite minifies, the threads of its WASM backend never start.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, launchChromium, openTab } from './chromium.js';
import { type Site, startSite } from './site.js';

const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));

describe.skipIf(chromiumPath === undefined)('a minified page in Chromium', () => {
  let [site, browser] = [] as unknown as [Site, Browser];
  beforeAll(async () => {
    const scripts = [join(import.meta.dirname, 'pages/tfjs.ts')];
    site = await startSite({ scripts, folders: { '/tfjs-wasm/': wasm }, bundler: 'vite' });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test('with threads ends in a typed error that names the remedy', async () => {
    const tab = await openTab(browser, site.origin, 'tfjs');
    expect(await tab.call('makeBackend', { threads: true, timeoutMs: 3000 })).toMatchObject({
      code: 'MMTOK_BACKEND_UNAVAILABLE',
      message: expect.stringContaining("tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)"),
    });
  });

  test('without threads runs', async () => {
    const tab = await openTab(browser, site.origin, 'tfjs');
    expect(await tab.call('makeBackend', { threads: false, timeoutMs: 120_000 })).toEqual({ device: 'wasm' });
    expect(tab.complaints).toEqual([]);
  });
});
