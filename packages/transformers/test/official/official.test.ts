// Parity with the official MMTok on exports of real architectures with random weights: `make_official_picks.py` ran it.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as library from '@huggingface/transformers';
import { RawImage } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallOptions,
  type LoadedVlm,
  loadVlm,
  type PruneHandle,
  type PruneReport,
  processInputs,
  prune,
} from '../../src/index.js';

interface OfficialCase {
  readonly model: 'llava' | 'qwen2_5_vl';
  readonly question: string;
  /** Whether the image is 336 × 252 pixels, for LLaVA padded to a square, or else 336 × 336. Qwen's are 252 × 168. */
  readonly wide: boolean;
  readonly tokens: number;
  readonly ids: readonly number[];
  readonly picks: readonly number[];
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const cases = JSON.parse(readFileSync(here('picks.json'), 'utf8')) as OfficialCase[];

/** The same image as in `make_official_picks.py`. */
function photo(width: number, height: number): RawImage {
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const bands = (x * (3 + c) + y * (5 - c) + Math.floor((x * y) / (40 + 9 * c))) % 256;
        const blocks = (Math.floor(x / 56) * 37 + Math.floor(y / 56) * 91 + c * 53) % 256;
        data[(y * width + x) * 3 + c] = Math.floor((bands + 2 * blocks) / 3);
      }
    }
  }
  return new RawImage(data, width, height, 3);
}

async function pictureOf({ model, wide }: OfficialCase): Promise<RawImage> {
  if (model === 'qwen2_5_vl') return photo(252, 168);
  return wide ? await photo(336, 252).pad([0, 0, 42, 42]) : photo(336, 336);
}

describe.each([
  // Nine of ten questions agree: one that consists of stop words keeps its raw text in the official code.
  ['llava', {}, { same: 9, least: 0.96875 }],
  // What the official code compares on Qwen: the mean of the patches that a token merges. By default, we compare merged tokens
  // and drop stop words, so that all selections differ.
  ['qwen2_5_vl', { visionFeatures: 'patches' }, { same: 0, least: 0.2 }],
] as const)('%s', (name, preparation: CallOptions, byDefault) => {
  const own = cases.filter(({ model }) => model === name);
  let loaded: LoadedVlm;
  let handle: PruneHandle;
  beforeAll(async () => {
    loaded = await loadVlm(here(name), { tap: { patches: name === 'qwen2_5_vl' } });
    const { model, processor } = loaded;
    handle = prune(model, {
      processor,
      backend: createReferenceBackend(),
      budget: { ratio: 0.2 },
      costGuard: false,
    });
  });
  afterAll(() => loaded.model.dispose());

  /** The kept tokens for an official question. */
  async function kept(one: OfficialCase, options: CallOptions): Promise<PruneReport> {
    const content = [{ type: 'image' }, { type: 'text', text: one.question }] as const;
    const inputs = await processInputs(library, loaded.processor, {
      messages: [{ role: 'user', content }] as never,
      images: [await pictureOf(one)],
    });
    const paddedFrom = one.wide && name === 'llava' && [{ width: 336, height: 252 }];
    const budget = { tokens: one.tokens };
    const mmtok: CallOptions = { budget, ...options, ...(paddedFrom && { paddedFrom }) };
    await handle.generate({ ...inputs, max_new_tokens: 1, do_sample: false, mmtok } as never);
    return handle.lastReport as PruneReport;
  }

  it.each(own.map((one) => [one.question, one] as const))(
    "keeps the official tokens with text: 'official', asked %j",
    async (_question, one) => {
      const report = await kept(one, { ...preparation, text: 'official', question: one.question });
      expect(report.prompts[0]?.question?.ids).toEqual(one.ids);
      expect(report.images[0]?.indices).toEqual(one.picks);
    },
  );

  it('keeps partly different tokens by default, as documented', async () => {
    const shares = [];
    for (const one of own) {
      const picks = new Set((await kept(one, { question: one.question })).images[0]?.indices);
      shares.push(one.picks.filter((token) => picks.has(token)).length / one.tokens);
    }
    expect({ same: shares.filter((share) => share === 1).length, least: Math.min(...shares) }).toEqual(
      byDefault,
    );
  });
});
