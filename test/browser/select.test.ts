// Selection in a browser: on ONNX Runtime's WebAssembly, taken from a loaded model, on the main thread and in a worker.

import { join } from 'node:path';
import { type Selection, selectTokens } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../workspace.js';
import { chromiumPath, launchChromium, openTab, places, type Tab } from './chromium.js';
import { featuresOf } from './features.js';
import type { SelectReply, SelectRequest } from './pages/select.js';
import { onnxruntimeWeb, type Site, startSite } from './site.js';

const request: SelectRequest = { seeds: [1, 2, 3, 4, 5], tokens: 57 };
const pages = join(import.meta.dirname, 'pages');

describe.skipIf(chromiumPath === undefined)('in Chromium', () => {
  let [site, browser, tab] = [] as unknown as [Site, Browser, Tab];
  let expected: readonly Selection[];
  beforeAll(async () => {
    const backend = await createOrtBackend();
    expected = await Promise.all(
      request.seeds.map((seed) =>
        selectTokens({ backend, ...featuresOf(seed), budget: { tokens: request.tokens } }),
      ),
    );
    await backend.dispose();
    site = await startSite({
      scripts: [join(pages, 'page.ts'), join(pages, 'worker.ts')],
      folders: {
        '/onnxruntime/': onnxruntimeWeb,
        '/tiny-vlm/': join(root, 'packages/tiny-vlm'),
      },
    });
    browser = await launchChromium();
    tab = await openTab(browser, site.origin);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test.each(places)('on the %s: the indices of Node, on the runtime of the loaded model', async (place) => {
    const reply = (await tab.call('selectOnModel', request, place)) as SelectReply;
    expect(reply).toMatchObject({ device: 'wasm', allowLocalModels: false });
    expect(reply.answer).toBe(reply.expected);
    expect(reply.selections.map(({ indices }) => indices)).toEqual(expected.map(({ indices }) => indices));
    expect(tab.complaints).toEqual([]);
  });
});
