// The embedded model's held-out accuracy in Chromium beside that in Node, with all vision tokens and with a tenth of them.
// Minutes: `npx vitest run --config vitest.model.config.ts test/browser`.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { heldOut, loadTinyVlm } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';
import { describe, expect, test } from 'vitest';
import { root } from '../workspace.js';
import { chromiumPath, launchChromium, openTab } from './chromium.js';
import type { HeldOutReply, HeldOutRequest } from './pages/held-out.js';
import { startSite } from './site.js';

const request: HeldOutRequest = { limit: 135, tokens: 57 };

/** The folder of the ONNX Runtime that transformers.js loads in browsers. */
function onnxruntimeWeb(): string {
  const transformers = createRequire(createRequire(import.meta.url).resolve('@huggingface/transformers'));
  return dirname(transformers.resolve('onnxruntime-web'));
}

async function inChromium(): Promise<readonly HeldOutReply[]> {
  const site = await startSite({
    scripts: [join(import.meta.dirname, 'pages/held-out.ts')],
    folders: { '/onnxruntime/': onnxruntimeWeb(), '/tiny-vlm/': join(root, 'packages/tiny-vlm') },
  });
  const browser = await launchChromium();
  try {
    const tab = await openTab(browser, site.origin, 'held-out');
    return (await tab.call('heldOut', request)) as readonly HeldOutReply[];
  } finally {
    await browser.close();
    await site.close();
  }
}

describe.skipIf(chromiumPath === undefined)('in Chromium', () => {
  test(`${request.limit} held-out questions: the tokens and the accuracy of Node`, async () => {
    const questions = await heldOut({ limit: request.limit });
    const replies = await inChromium();
    const { model, processor, ask } = await loadTinyVlm();
    const handle = prune(model, { processor, budget: { tokens: request.tokens } });
    const inNode: HeldOutReply[] = [];
    for (const { image, question } of questions) {
      const all = await ask(image, question, { mmtok: false });
      const pruned = await ask(image, question);
      inNode.push({ all, pruned, indices: handle.lastReport?.images[0]?.indices ?? [] });
    }
    await model.dispose();

    const right = (of: readonly HeldOutReply[], which: 'all' | 'pruned'): number =>
      of.filter((reply, at) => reply[which] === questions[at]?.answer).length;
    const alike = replies.filter(({ indices }, at) => `${indices}` === `${inNode[at]?.indices}`).length;
    console.log(
      `Of ${questions.length} questions right, all tokens: Chromium ${right(replies, 'all')}, Node ${right(inNode, 'all')}; ` +
        `${request.tokens} tokens: Chromium ${right(replies, 'pruned')}, Node ${right(inNode, 'pruned')}. ` +
        `The same tokens kept: ${alike}.`,
    );
    expect(replies.map(({ all }) => all)).toEqual(inNode.map(({ all }) => all));
    // Rounding differs between the two builds of ONNX Runtime, so a near-tie may fall the other way.
    expect(alike).toBeGreaterThanOrEqual(questions.length * 0.95);
    expect(Math.abs(right(replies, 'pruned') - right(inNode, 'pruned'))).toBeLessThanOrEqual(1);
  });
});
