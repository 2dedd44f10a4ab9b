// Models without features from before the projector, in a browser: tapped, pruned on their own ONNX Runtime, with the picks that
// Node makes from the same pixel values, and the report posted back.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Tensor } from '@huggingface/transformers';
import { loadVlm, type PruneReport, prune } from '@mmtok/transformers';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  buildTinyModel,
  noiseImage,
  type TinyModel,
} from '../../packages/transformers/test/tiny-models/index.js';
import { chromiumPath, launchChromium, openTab, places, softwareWebGpu } from './chromium.js';
import type { PlainTensor, runOnWebGpu, TinyReply, TinyRequest } from './pages/tiny-model.js';
import { onnxruntimeWeb, type Site, startSite } from './site.js';

const ways = { llava: 'createVlm', idefics3: 'prune' } as const;
const names = Object.keys(ways) as (keyof typeof ways)[];
const question = 'is the cat red ?';
const tokens = 4;

/** The request to a page, and the report of Node. */
interface Case {
  readonly request: TinyRequest;
  readonly expected: PruneReport | undefined;
}

const plain = ({ type, dims, data }: Tensor): PlainTensor => ({
  type: type as PlainTensor['type'],
  dims,
  data: Array.from(data as ArrayLike<number | bigint>, Number),
});

/** What Node makes of a tiny model. */
async function inNode(tiny: TinyModel, way: TinyRequest['way']): Promise<Case> {
  const { inputs, dispose } = await tiny.load();
  const given = (await inputs(question, [noiseImage(tiny.imageSize)])) as unknown as Record<string, Tensor>;
  await dispose();
  const { model, processor } = await loadVlm(tiny.path);
  const handle = prune(model, { processor, budget: { tokens }, minVisionTokens: 1 });
  await handle.generate({ ...given, max_new_tokens: 2, mmtok: { question } });
  const expected = handle.lastReport;
  await handle.restore();
  await model.dispose();
  // Beside tensors there are notes of the processor, such as the rows of tiles, which generate() does not read.
  const tensors = Object.entries(given).filter(([, each]) => each.dims !== undefined);
  const request = { model: `/models/${basename(tiny.path)}`, way, question, tokens };
  return {
    request: {
      ...request,
      inputs: Object.fromEntries(tensors.map(([name, each]) => [name, plain(each)])),
    },
    expected,
  };
}

describe.skipIf(chromiumPath === undefined)('tiny models in Chromium', () => {
  let [folder, site, browser] = [] as unknown as [string, Site, Browser];
  const cases: Case[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mmtok-browser-models-'));
    for (const name of names)
      cases.push(await inNode(await buildTinyModel(name, { directory: folder }), ways[name]));
    const pages = join(import.meta.dirname, 'pages');
    site = await startSite({
      scripts: [join(pages, 'page.ts'), join(pages, 'worker.ts')],
      folders: { '/onnxruntime/': onnxruntimeWeb, '/models/': folder },
    });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(places)(
    'on the %s: tapped, with the pixels of transformers.js and the picks of Node',
    async (place) => {
      const tab = await openTab(browser, site.origin);
      const requests = cases.map(({ request }) => request);
      const replies = (await tab.call('runTinyModels', requests, place)) as readonly TinyReply[];
      for (const [i, { expected }] of cases.entries()) {
        const { report, outputs, streamed, pixels } = replies[i] as TinyReply;
        expect(outputs.length).toBeGreaterThan(1);
        expect(expected?.visionFeatureSource).toBe('preProjector');
        expect(report).toMatchObject({
          visionFeatureSource: 'preProjector',
          keptTokens: expected?.keptTokens,
        });
        expect(report?.images.map(({ indices }) => indices)).toEqual(
          expected?.images.map(({ indices }) => indices),
        );
        if (requests[i]?.way === 'prune') {
          expect(pixels?.values).toBeGreaterThan(1000);
          expect(pixels?.different).toBe(0);
        } else expect(streamed).toMatchObject({ pieces: streamed?.text, keptTokens: tokens });
      }
      expect(tab.complaints).toEqual([]);
      await tab.close();
    },
  );

  // Minutes on a busy machine without a GPU, so only on request.
  test.skipIf(process.env.MMTOK_WEBGPU === undefined)(
    'on WebGPU: two calls at once, with the picks of Node',
    async () => {
      const webgpu = await launchChromium(softwareWebGpu);
      try {
        const tab = await openTab(webgpu, site.origin);
        const { request, expected } = cases[0] as Case;
        const { device, reports } = (await tab.call('runOnWebGpu', request)) as Awaited<
          ReturnType<typeof runOnWebGpu>
        >;
        expect(device).toBe('webgpu');
        const picks = expected?.images.map(({ indices }) => indices);
        expect(reports.map(({ images }) => images.map(({ indices }) => indices))).toEqual([picks, picks]);
        expect(tab.complaints).toEqual([]);
      } finally {
        await webgpu.close();
      }
    },
    300_000,
  );
});
