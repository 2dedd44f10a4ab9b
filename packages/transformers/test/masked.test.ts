// Vision tokens masked by the attention mask are never kept, and never shift the rows of the others.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PruneHandle, prune } from '../src/index.js';
import { answerOf, generate, referenceTokens } from './support/reference.js';
import {
  buildTinyModel,
  type FamilyName,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';
import { embeddingSession, whileFed } from './tiny-models/session-probe.js';

const COUNT = 4;
const names: FamilyName[] = ['smolvlm', 'gemma3', 'lfm2_vl', 'multi_modality', 'gemma4'];
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'masked-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The inputs with some vision tokens masked. */
function hiding(tiny: TinyModel, inputs: ModelInputs, hidden: readonly number[]): ModelInputs {
  const slots = tiny.visualSlots(inputs);
  const mask = inputs.attention_mask as Tensor;
  const bits = (mask.data as BigInt64Array).slice();
  for (const token of hidden) bits[slots[token] as number] = 0n;
  return { ...inputs, attention_mask: new Tensor('int64', bits, mask.dims) };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

function keptOf(handle: PruneHandle): number[] {
  let start = 0;
  return (handle.lastReport?.images ?? []).flatMap(({ indices, visionTokens }) => {
    const kept = indices.map((index) => start + index);
    start += visionTokens;
    return kept;
  });
}

describe.each(names)('%s', (name) => {
  let tiny: TinyModel;
  let loaded: LoadedTinyModel;
  let pristine: LoadedTinyModel;
  let both: ModelInputs;
  let handle: PruneHandle;
  beforeAll(async () => {
    tiny = await buildTinyModel(name, { directory });
    loaded = await tiny.load();
    pristine = await tiny.load();
    both = await loaded.inputs('what is in the image ?', [
      noiseImage(tiny.imageSize),
      noiseImage(tiny.imageSize, 7),
    ]);
    const { processor } = loaded;
    const budget = { tokens: 3 };
    handle = prune(loaded.model, {
      processor,
      backend: createReferenceBackend(),
      budget,
      minVisionTokens: 1,
    });
  });
  afterAll(async () => {
    await handle.restore();
    await loaded.dispose();
    await pristine.dispose();
  });

  it('keeps nothing of a masked image, and answers like the library on the other one', async () => {
    const given = hiding(tiny, both, range(0, tiny.tokensPerImage));
    const answer = await generate(loaded.model, { ...given, max_new_tokens: COUNT });
    const kept = keptOf(handle);
    expect(handle.lastReport?.images.map(({ keptTokens, reason }) => [keptTokens, reason])).toEqual([
      [0, 'masked'],
      [3, 'pruned'],
    ]);
    const compact = handle.lastReport?.positions === 'compact';
    // The reference drops masked tokens, too: the unmodified library on the prompt without them.
    const prompt = both.input_ids?.dims[1] as number;
    const expected = await referenceTokens({ tiny, pristine, inputs: given, kept, compact, count: COUNT });
    expect(answerOf(answer, prompt)).toEqual(expected);
  });

  it('keeps no masked token of a partly masked image', async () => {
    const half = Math.floor(tiny.tokensPerImage / 2);
    const given = hiding(tiny, both, [...range(0, half), tiny.tokensPerImage + 1]);
    await generate(loaded.model, { ...given, max_new_tokens: 1, mmtok: { budget: { ratio: 0.5 } } });
    const kept = keptOf(handle);
    expect(kept.filter((token) => token < half || token === tiny.tokensPerImage + 1)).toEqual([]);
    // Half of the unmasked tokens.
    const shown = tiny.tokensPerImage - half;
    expect(handle.lastReport?.images[0]?.keptTokens).toBe(Math.floor(shown / 2));
  });

  it('puts the rows of the second image at its own positions', async () => {
    const marked = await buildTinyModel(name, { directory: join(directory, 'marked'), markRows: true });
    const model = await marked.load();
    const own = prune(model.model, {
      processor: model.processor,
      backend: createReferenceBackend(),
      budget: { tokens: 3 },
      minVisionTokens: 1,
    });
    let marks: number[] = [];
    await whileFed(
      embeddingSession(model.model),
      (feeds) => {
        const { data, dims } = feeds.inputs_embeds!;
        const width = dims[2] as number;
        if ((dims[1] as number) > 1) {
          marks = range(0, dims[1] as number)
            .map((at) => Number(data[(at + 1) * width - 1]))
            .filter((mark) => Number.isInteger(mark));
        }
        return feeds;
      },
      () =>
        generate(model.model, {
          ...hiding(marked, both, range(0, marked.tokensPerImage)),
          max_new_tokens: 1,
        }),
    );
    const kept = keptOf(own);
    expect(kept).toHaveLength(3);
    expect(kept.every((token) => token >= marked.tokensPerImage)).toBe(true);
    expect(marks.filter((mark) => kept.includes(mark))).toEqual(kept);
    expect(marks.filter((mark) => mark < marked.tokensPerImage && !kept.includes(mark) && mark > 0)).toEqual(
      [],
    );
    await own.restore();
    await model.dispose();
  });
});
