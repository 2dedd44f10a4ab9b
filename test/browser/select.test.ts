// Selection in a browser: on ONNX Runtime's WebAssembly, taken from a loaded model, on the main thread and in a worker.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Selection, selectTokens } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../workspace.js';
import { chromiumPath, launchChromium, openTab, type Tab } from './chromium.js';
import { featuresOf } from './features.js';
import type { Reply, Request } from './pages/select.js';
import { type Site, startSite } from './site.js';

const request: Request = { seeds: [1, 2, 3, 4, 5], tokens: 57 };
const pages = join(import.meta.dirname, 'pages');

/** The folder of the ONNX Runtime that transformers.js loads in browsers. */
function onnxruntimeWeb(): string {
  const transformers = createRequire(createRequire(import.meta.url).resolve('@huggingface/transformers'));
  return dirname(transformers.resolve('onnxruntime-web'));
}

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
        '/onnxruntime/': onnxruntimeWeb(),
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

  test.each(['onMainThread', 'inWorker'])(
    '%s: the indices of Node, on the runtime of the loaded model',
    async (where) => {
      const reply = (await tab.call(where, request)) as Reply;
      expect(reply).toMatchObject({ device: 'wasm', allowLocalModels: false });
      expect(reply.answer).toBe(reply.expected);
      expect(reply.selections.map(({ indices }) => indices)).toEqual(expected.map(({ indices }) => indices));
      expect(tab.complaints).toEqual([]);
    },
  );
});
