// createVlm in a browser: a model without features from before the projector is tapped, and selects what Node selects.

import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tensor } from '@huggingface/transformers';
import { createVlm } from '@mmtok/transformers';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildTinyModel, noiseImage } from '../../packages/transformers/test/tiny-models/index.js';
import { chromiumPath, launchChromium, openTab, type Tab } from './chromium.js';
import type { PlainTensor, VlmReply, VlmRequest } from './pages/vlm.js';
import { type Site, startSite } from './site.js';

const QUESTION = 'is the cat red ?';

/** The folder of the ONNX Runtime that transformers.js loads in browsers. */
function onnxruntimeWeb(): string {
  const transformers = createRequire(createRequire(import.meta.url).resolve('@huggingface/transformers'));
  return dirname(transformers.resolve('onnxruntime-web'));
}

const plain = ({ type, dims, data }: Tensor): PlainTensor => ({
  type,
  dims,
  data: Array.from(data as Float32Array, Number),
});

describe.skipIf(chromiumPath === undefined)('createVlm in Chromium', () => {
  let directory: string;
  let [site, browser, tab] = [] as unknown as [Site, Browser, Tab];
  let request: VlmRequest;
  let expected: readonly number[] | undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vlm-'));
    const tiny = await buildTinyModel('llava', { directory });
    const { inputs, dispose } = await tiny.load();
    const prompt = await inputs(QUESTION, [noiseImage(tiny.imageSize)]);
    await dispose();
    const names = ['input_ids', 'attention_mask', 'pixel_values'];
    request = {
      model: '/models/llava',
      question: QUESTION,
      inputs: Object.fromEntries(names.map((name) => [name, plain(prompt[name] as Tensor)])),
    };
    const vlm = await createVlm(tiny.path, { keep: 4, minVisionTokens: 1 });
    await vlm.handle.generate({ ...prompt, max_new_tokens: 2, mmtok: { question: QUESTION } });
    expected = vlm.handle.lastReport?.images[0]?.indices;
    await vlm.dispose();

    site = await startSite({
      scripts: [join(import.meta.dirname, 'pages', 'vlm.ts')],
      folders: { '/onnxruntime/': onnxruntimeWeb(), '/models/': directory },
    });
    browser = await launchChromium();
    tab = await openTab(browser, site.origin, 'vlm');
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await rm(directory, { recursive: true, force: true });
  });

  test.each(['onMainThread', 'inWorker'])(
    '%s: taps the encoder, selects what Node selects',
    async (where) => {
      const reply = (await tab.call(where, request)) as VlmReply;
      expect(reply.outputs).toHaveLength(2);
      expect(reply.report).toMatchObject({
        visionFeatureSource: 'preProjector',
        keptTokens: 4,
        images: [{ indices: expected }],
      });
      expect(reply.text).not.toBe('');
      expect(reply).toMatchObject({ pieces: reply.text, keptTokens: 4 });
      expect(tab.complaints).toEqual([]);
    },
  );
});
