// LLaVA-NeXT compared with Hugging Face's classes and the official MMTok, on a tiny random checkpoint: see
// fixtures/llava-next/make_fixture.py.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { RawImage, type Tensor } from '@huggingface/transformers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createVlm,
  type LoadedVlm,
  loadVlm,
  type PruneReport,
  processInputs,
  UnsupportedModelError,
  type Vlm,
} from '../src/index.js';
import { anyresConfig, fittedSize, packImage } from '../src/internal/anyres.js';
import { verifyVlm } from '../src/verify/index.js';

const fixture = new URL('./fixtures/llava-next/', import.meta.url);
const folder = fileURLToPath(new URL('model', fixture));

interface Case {
  readonly sizes: readonly (readonly [width: number, height: number])[];
  readonly tiles: readonly number[];
  /** Checksums of the 8-bit pixels of each tile, `[3, 336, 336]`, per image. */
  readonly pixels: readonly (readonly number[])[];
  readonly promptTokens: number;
  readonly whole: readonly number[];
  /** Kept tokens of each tile, per image. */
  readonly picks: readonly (readonly (readonly number[])[])[];
  readonly keptPromptTokens: number;
  readonly pruned: readonly number[];
}

const { question, perTile, newTokens, cases } = JSON.parse(
  readFileSync(new URL('reference.json', fixture), 'utf8'),
) as { question: string; perTile: number; newTokens: number; cases: readonly Case[] };

/** The same pixels as `picture()` of make_fixture.py. */
function photo([width, height]: readonly [number, number]): RawImage {
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      data[at] = (37 * (x >> 4) + 101 * (y >> 4) + 3 * x) % 256;
      data[at + 1] = (11 * (x >> 3) * (y >> 3) + y) % 256;
      data[at + 2] = ((x * x + 3 * y * y) >> 5) % 256;
    }
  }
  return new RawImage(data, width, height, 3);
}

let loaded: LoadedVlm;
let vlm: Vlm;
beforeAll(async () => {
  loaded = await loadVlm(folder);
  vlm = await createVlm(loaded, { keep: perTile, text: 'official', costGuard: false });
});
afterAll(async () => {
  await vlm.dispose();
  await loaded.model.dispose();
});

const inputsOf = async (images: readonly RawImage[]) =>
  await processInputs(loaded.library, loaded.processor, {
    messages: [
      {
        role: 'user',
        content: [...images.map(() => ({ type: 'image' as const })), { type: 'text', text: question }],
      },
    ],
    images,
    config: loaded.model.config as unknown as Readonly<Record<string, unknown>>,
  });

/** The new tokens of a greedy answer of the reference's length, and the report. */
async function answer(
  inputs: Readonly<Record<string, Tensor>>,
  mmtok: object | false = {},
): Promise<{ readonly tokens: readonly number[]; readonly report: PruneReport }> {
  const length = { max_new_tokens: newTokens, min_new_tokens: newTokens, do_sample: false };
  const sequences = (await vlm.handle.generate({ ...inputs, ...length, mmtok } as never)) as Tensor;
  const prompt = inputs.input_ids?.dims[1] ?? 0;
  const tokens = Array.from(sequences.data as BigInt64Array, Number).slice(prompt);
  return { tokens, report: vlm.handle.lastReport as PruneReport };
}

describe.each(cases.map((each) => [each.sizes.map((size) => size.join(' × ')).join(' and '), each] as const))(
  'of %s',
  (_, expected) => {
    let inputs: Readonly<Record<string, Tensor>>;
    beforeAll(async () => {
      inputs = await inputsOf(expected.sizes.map(photo));
    });

    it('has the same tiles and prompt as the reference processor, pixel for pixel', () => {
      const { image_mean, image_std } = (loaded.processor.image_processor?.config ?? {}) as {
        image_mean: number[];
        image_std: number[];
      };
      const { data, dims } = inputs.pixel_values as Tensor;
      expect(dims).toEqual([expected.pixels.flat().length, 3, 336, 336]);
      const plane = 336 * 336;
      const bytes = new Uint8Array(data.length);
      for (let at = 0; at < data.length; at++) {
        const channel = Math.floor(at / plane) % 3;
        const value = (data[at] as number) * (image_std[channel] as number) + (image_mean[channel] as number);
        bytes[at] = Math.round(value * 255);
      }
      const sums = expected.pixels
        .flat()
        .map((_, tile) => crc32(bytes.subarray(tile * 3 * plane, (tile + 1) * 3 * plane)));
      expect(sums).toEqual(expected.pixels.flat());
      expect(inputs.input_ids?.dims).toEqual([1, expected.promptTokens]);
    });

    it('is answered as by PyTorch without pruning', async () => {
      for (const mmtok of [false, { budget: { ratio: 1 } }] as const) {
        const { tokens, report } = await answer(inputs, mmtok);
        expect(tokens).toEqual(expected.whole);
        expect(report.prompts).toMatchObject([
          { promptTokens: expected.promptTokens, keptPromptTokens: expected.promptTokens },
        ]);
      }
    });

    it('keeps the same tokens of each tile as the official code, and is answered as by PyTorch on them', async () => {
      const { tokens, report } = await answer(inputs);
      expect(report.images.map(({ tiles }) => tiles.map(({ indices }) => indices))).toEqual(expected.picks);
      expect(report).toMatchObject({
        reason: 'pruned',
        positions: 'compact',
        visionFeatureSource: 'preProjector',
      });
      expect(report.prompts).toMatchObject([
        { promptTokens: expected.promptTokens, keptPromptTokens: expected.keptPromptTokens },
      ]);
      expect(tokens).toEqual(expected.pruned);
    });
  },
);

describe('with other options', () => {
  const image = photo([500, 300]);

  it('answers two prompts of a batch like single prompts', async () => {
    const [first, second] = [cases[2], cases[3]] as [Case, Case];
    const [long, short] = await Promise.all([first, second].map(({ sizes }) => inputsOf(sizes.map(photo))));
    const { Tensor: Class, cat } = loaded.library;
    const missing = first.promptTokens - second.promptTokens;
    const filled = (name: string, fill: bigint): Tensor =>
      cat([
        long?.[name] as Tensor,
        cat(
          [new Class('int64', new BigInt64Array(missing).fill(fill), [1, missing]), short?.[name] as Tensor],
          1,
        ),
      ]);
    const batch = {
      input_ids: filled('input_ids', 3n),
      attention_mask: filled('attention_mask', 0n),
      pixel_values: cat([long?.pixel_values as Tensor, short?.pixel_values as Tensor]),
      image_sizes: cat([long?.image_sizes as Tensor, short?.image_sizes as Tensor]),
    };
    for (const [mmtok, key] of [
      [{}, 'pruned'],
      [false, 'whole'],
    ] as const) {
      const { tokens, report } = await answer(batch, mmtok);
      // `answer()` cuts off the prompt of the first; the second is behind it.
      expect(tokens.slice(0, newTokens)).toEqual(first[key]);
      expect(tokens.slice(-newTokens)).toEqual(second[key]);
      expect(report.prompts.map(({ promptTokens }) => promptTokens)).toEqual([
        first.promptTokens,
        second.promptTokens,
      ]);
    }
  });

  it('has readable prompts', async () => {
    const reply = await vlm.ask({ image, question, maxNewTokens: 4 });
    expect(reply.usage).toMatchObject({ visionTokens: 3 * 576, keptTokens: 3 * perTile });
    expect(reply.report.images[0]).toMatchObject({ visionTokens: 3 * 576, keptTokens: 3 * perTile });
    expect((await vlm.ask({ image, question, keep: false, maxNewTokens: 4 })).usage.keptPromptTokens).toBe(
      1571,
    );
  });

  it('shares the budget of an image among its tiles on request', async () => {
    const inputs = await inputsOf([image]);
    const { report } = await answer(inputs, { allocation: 'perImage', budget: { tokens: 40 }, minTokens: 2 });
    expect(report.keptTokens).toBe(40);
    for (const tile of report.images[0]?.tiles ?? []) expect(tile.indices.length).toBeGreaterThanOrEqual(2);
  });

  it('counts the tokens of a prompt like the processor', async () => {
    const inputs = await inputsOf([image]);
    expect(vlm.handle.countTokens(inputs)).toMatchObject([{ total: 1571 }]);
  });

  it('answers a follow-up from the pruned cache, and selects again on request', async () => {
    const first = await inputsOf([image]);
    const length = { max_new_tokens: 3, min_new_tokens: 3, do_sample: false };
    for (const followUps of ['reuse', 'reselect'] as const) {
      const { sequences, past_key_values } = (await vlm.handle.generate({
        ...first,
        ...length,
        return_dict_in_generate: true,
        mmtok: { followUps },
      } as never)) as unknown as { sequences: Tensor; past_key_values: object };
      const more = loaded.tokenizer('USER: what is the blue chair ? ASSISTANT:') as { input_ids: Tensor };
      const ids = loaded.library.cat([sequences, more.input_ids], 1);
      const longer = { input_ids: ids, attention_mask: loaded.library.ones_like(ids), past_key_values };
      const again = (await vlm.handle.generate({
        ...longer,
        ...length,
        mmtok: { followUps },
      } as never)) as Tensor;
      expect(again.dims[1]).toBe((ids.dims[1] as number) + 3);
      const report = vlm.handle.lastReport as PruneReport;
      expect(report.reason).toBe(followUps === 'reuse' ? 'cached' : 'pruned');
      if (followUps === 'reselect')
        expect(report).toMatchObject({ keptTokens: 3 * perTile, timings: { encodeMs: 0 } });
    }
  });

  it('cannot be verified, because there is nothing to compare it with', async () => {
    await expect(verifyVlm(vlm, { newTokens: 1 })).rejects.toMatchObject({ code: 'MMTOK_INPUT' });
  });

  it('cannot preserve positions', async () => {
    const inputs = await inputsOf([image]);
    await expect(answer(inputs, { positions: 'preserve' })).rejects.toThrow(UnsupportedModelError);
  });

  it('rejects placeholders and images that do not match', async () => {
    const { input_ids, attention_mask } = await inputsOf([image]);
    const other = await inputsOf([photo([336, 336])]);
    await expect(answer({ ...other, input_ids, attention_mask } as never)).rejects.toThrow(/1560.*1176/);
  });
});

describe('packing', () => {
  const config = anyresConfig({
    vision_config: { image_size: 28, patch_size: 7 },
    image_grid_pinpoints: [
      [28, 56],
      [56, 28],
      [56, 56],
      [84, 28],
    ],
  });
  const side = fc.integer({ min: 1, max: 400 });

  it('has every row once, in the order of the prompt', () => {
    fc.assert(
      fc.property(side, side, (height, width) => {
        const { tiles, newlines, order, unpruned } = packImage({ height, width }, config);
        const rows = tiles.length * 16 + newlines;
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row));
        const places = unpruned.map((row) => order.indexOf(row));
        expect(places).toEqual([...places].sort((a, b) => a - b));
        // Padding is even on both sides, so the rest is whole lines, each with its newline.
        const lines = unpruned.filter((row) => row >= tiles.length * 16).length;
        if (lines > 0) expect((unpruned.length - 16) % lines).toBe(0);
      }),
    );
  });

  it('fits images into a resolution along one side', () => {
    fc.assert(
      fc.property(side, side, (height, width) => {
        const fitted = fittedSize({ height, width }, { height: 56, width: 84 });
        expect(fitted.height === 56 || fitted.width === 84).toBe(true);
        expect(fitted.height).toBeLessThanOrEqual(56);
        expect(fitted.width).toBeLessThanOrEqual(84);
      }),
    );
  });
});
