// A headless Chromium, and pages in it whose functions tests call.

import type { Browser } from 'playwright-core';
import { findChromium } from '../../packages/eval/test/find-chromium.js';

/** The browser's path; undefined where there is none, and tests are to be skipped. */
export const chromiumPath: string | undefined = findChromium();

/** WebGPU without a GPU: correct, and slow. */
export const softwareWebGpu: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--disable-vulkan-surface',
  '--ignore-gpu-blocklist',
];

/** Starts the browser. */
export async function launchChromium(flags: readonly string[] = []): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return await chromium.launch({ executablePath: chromiumPath as string, args: ['--no-sandbox', ...flags] });
}

/** Where a page's code runs. */
export const places = ['main thread', 'worker'] as const;
/** See {@link places}. */
export type Place = (typeof places)[number];

/** A page of a site. */
export interface Tab {
  /** Calls a function that the page's script exports, with JSON in and out; in a worker by way of the script's `inWorker`. */
  call(name: string, input?: unknown, where?: Place): Promise<unknown>;
  /** What went wrong on the page without being caught. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** Opens a site. Functions are called in the script of the given name. */
export async function openTab(browser: Browser, origin: string, script = 'page'): Promise<Tab> {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(origin);
  return {
    complaints,
    async call(name, input, where = 'main thread') {
      const [called, given] = where === 'worker' ? ['inWorker', { name, input }] : [name, input];
      const text: string = await page.evaluate(
        `import('/${script}.js').then(async (page) => JSON.stringify(await page.${called}(${JSON.stringify(given)})))`,
      );
      return JSON.parse(text);
    },
    close: () => page.close(),
  };
}
