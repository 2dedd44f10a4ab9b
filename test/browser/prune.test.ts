// A model without features from before the projector, in a browser: tapped, pruned on its own ONNX Runtime, with the picks that
// Node makes from the same pixel values, and the report posted back.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@huggingface/transformers';
import { loadVlm, type PruneReport, prune } from '@mmtok/transformers';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  buildTinyModel,
  noiseImage,
  type TinyModel,
} from '../../packages/transformers/test/tiny-models/index.js';
import { chromiumPath, launchChromium, openTab, places } from './chromium.js';
import type { PlainTensor, PruneReply, PruneRequest } from './pages/prune.js';
import { onnxruntimeWeb, type Site, startSite } from './site.js';

const names = ['llava', 'idefics3'] as const;
const question = 'is the cat red ?';
const tokens = 4;

/** The request to a page, and the report of Node. */
interface Case {
  readonly request: PruneRequest;
  readonly expected: PruneReport | undefined;
}

const plain = ({ type, dims, data }: Tensor): PlainTensor => ({
  type: type as PlainTensor['type'],
  dims,
  data: Array.from(data as ArrayLike<number | bigint>, Number),
});

/** What Node makes of a tiny model. */
async function inNode(tiny: TinyModel): Promise<Case> {
  const { inputs, dispose } = await tiny.load();
  const given = (await inputs(question, [noiseImage(tiny.imageSize)])) as unknown as Record<string, Tensor>;
  await dispose();
  const { model, processor } = await loadVlm(tiny.path);
  const handle = prune(model, { processor, budget: { tokens }, minVisionTokens: 1 });
  await handle.generate({ ...given, max_new_tokens: 2, mmtok: { question } });
  const expected = handle.lastReport;
  handle.restore();
  await model.dispose();
  const request = { model: `/models/${tiny.name}`, question, tokens };
  return {
    request: {
      ...request,
      inputs: Object.fromEntries(Object.entries(given).map(([name, each]) => [name, plain(each)])),
    },
    expected,
  };
}

describe.skipIf(chromiumPath === undefined).each(names)('%s in Chromium', (name) => {
  let [folder, site, browser, made] = [] as unknown as [string, Site, Browser, Case];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mmtok-browser-models-'));
    made = await inNode(await buildTinyModel(name, { directory: folder }));
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

  test.each(places)('on the %s: tapped, and the picks of Node', async (place) => {
    const tab = await openTab(browser, site.origin);
    const { report, outputs } = (await tab.call('pruneTinyModel', made.request, place)) as PruneReply;
    expect(outputs.length).toBeGreaterThan(1);
    expect(made.expected?.visionFeatureSource).toBe('preProjector');
    expect(report).toMatchObject({
      visionFeatureSource: 'preProjector',
      keptTokens: made.expected?.keptTokens,
    });
    expect(report?.images.map(({ indices }) => indices)).toEqual(
      made.expected?.images.map(({ indices }) => indices),
    );
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });
});
