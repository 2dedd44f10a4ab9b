// Defects of transformers.js that pruning works around. Each test fails once upstream fixes the defect; then the workaround that
// it names can be removed.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cat, DynamicCache, full, Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, generate, tokens } from './support/reference.js';
import { buildTinyModel, type LoadedTinyModel, type ModelInputs, noiseImage } from './tiny-models/index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'upstream-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const load = async (
  name: 'llava' | 'qwen2_5_vl',
): Promise<{ loaded: LoadedTinyModel; inputs: ModelInputs }> => {
  const tiny = await buildTinyModel(name, { directory });
  const loaded = await tiny.load();
  return { loaded, inputs: await loaded.inputs('is the cat red ?', [noiseImage(tiny.imageSize)]) };
};

describe('transformers.js 4.3', () => {
  it('unmasks left padding at decode steps of image prompts (prefill/prefill.ts removes pixel_values)', async () => {
    const { loaded, inputs } = await load('llava');
    const ids = inputs.input_ids as Tensor;
    const pad = (fill: bigint, tensor: Tensor): Tensor => cat([full([1, 6], fill) as Tensor, tensor], 1);
    const padded = {
      ...inputs,
      input_ids: pad(0n, ids),
      attention_mask: pad(0n, inputs.attention_mask as Tensor),
    };
    const plain = answerOf(
      await generate(loaded.model, { ...inputs, max_new_tokens: 6 }),
      ids.dims[1] as number,
    );
    const broken = answerOf(
      await generate(loaded.model, { ...padded, max_new_tokens: 6 }),
      (ids.dims[1] as number) + 6,
    );
    expect(broken).not.toEqual(plain);
    await loaded.dispose();
  });

  it('takes a whole conversation for new tokens if there is no mask (patch/sequence.ts makes one)', async () => {
    const { loaded, inputs } = await load('llava');
    const first = (await generate(loaded.model, {
      ...inputs,
      max_new_tokens: 3,
      return_dict_in_generate: true,
    })) as {
      sequences: Tensor;
      past_key_values: DynamicCache;
    };
    const ids = [...(first.sequences.data as BigInt64Array), 40n];
    await generate(loaded.model, {
      input_ids: tokens(ids),
      past_key_values: first.past_key_values,
      max_new_tokens: 1,
    });
    expect(first.past_key_values.get_seq_length()).toBeGreaterThan(ids.length);
    await loaded.dispose();
  });

  it('loses the images of Qwen models given an empty cache (patch/patch.ts sets it aside)', async () => {
    const { loaded, inputs } = await load('qwen2_5_vl');
    const call = generate(loaded.model, {
      ...inputs,
      past_key_values: new DynamicCache(),
      max_new_tokens: 1,
    });
    await expect(call).rejects.toThrow(/Missing the following inputs: pixel_values/);
    await loaded.dispose();
  });

  it.skipIf('Float16Array' in globalThis)(
    'makes garbage of halves in Node 20 (upstream/tensors.ts converts)',
    () => {
      const half = new Tensor('float32', [1.5, 0.25], [2]).to('float16');
      expect(Array.from(half.to('float32').data as Float32Array)).not.toEqual([1.5, 0.25]);
    },
  );

  it('checks inputs with instanceof (internal/tensors.ts takes the class from the inputs)', async () => {
    const { loaded, inputs } = await load('llava');
    const { type, data, dims } = inputs.pixel_values as Tensor;
    const call = generate(loaded.model, { ...inputs, pixel_values: { type, data, dims }, max_new_tokens: 1 });
    await expect(call).rejects.toThrow();
    expect(new Tensor('float32', [1], [1]).constructor).toBe(Tensor);
    await loaded.dispose();
  });
});
