// The weights of both models: they load offline in plain transformers.js, and have the shapes that their configurations state.
// For their accuracy, see accuracy.model.test.ts.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env, LlavaForConditionalGeneration, RawImage, type Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  loadTinyVlm,
  type ModelSize,
  modelPath,
  samples,
  smallModelPath,
  type TinyVlm,
} from '../src/node.js';

/** The members of a session that are used here. */
interface Session {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly dims: readonly number[] }>>;
}

interface Config {
  readonly text_config: { readonly hidden_size: number };
  readonly vision_config: {
    readonly hidden_size: number;
    readonly image_size: number;
    readonly patch_size: number;
  };
}

const { fetch } = env;
beforeAll(() => {
  env.fetch = (input) => Promise.reject(new Error(`went to the network for ${String(input)}`));
});
afterAll(() => {
  env.fetch = fetch;
});

describe.each([
  { size: 'base', path: modelPath },
  { size: 'small', path: smallModelPath },
] as const)('$size', ({ size, path }) => {
  let vlm: TinyVlm;
  let config: Config;
  beforeAll(async () => {
    vlm = await loadTinyVlm({ size });
    config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8')) as Config;
  });
  afterAll(() => vlm.model.dispose());

  test('loads offline as a plain LlavaForConditionalGeneration, without changing global settings', () => {
    expect(vlm.model).toBeInstanceOf(LlavaForConditionalGeneration);
    expect(env.allowRemoteModels).toBe(true);
  });

  test('the vision encoder returns features after and before the projector, and saliency', async () => {
    const [{ image } = { image: '' }] = await samples();
    const inputs: { pixel_values: Tensor; input_ids: Tensor } = await vlm.processor(
      await RawImage.read(image),
      '<image>',
    );
    const session = vlm.model.sessions.vision_encoder as Session;
    const outputs = await session.run({ pixel_values: inputs.pixel_values.ort_tensor });
    const { image_size, patch_size, hidden_size } = config.vision_config;
    const tokens = (image_size / patch_size) ** 2;
    expect(inputs.pixel_values.dims).toEqual([1, 3, image_size, image_size]);
    expect(inputs.input_ids.dims.at(-1)).toBe(tokens + 1);
    expect(session.outputNames).toEqual(['image_features', 'vision_features', 'vision_saliency']);
    expect(outputs.image_features?.dims).toEqual([1, tokens, config.text_config.hidden_size]);
    expect(outputs.vision_features?.dims).toEqual([1, tokens, hidden_size]);
    expect(outputs.vision_saliency?.dims).toEqual([1, tokens]);
  });

  test('ask takes an image, and passes options to generate', async () => {
    const [{ image, question } = { image: '', question: '' }] = await samples();
    const decoded = await RawImage.read(image);
    const answer = await vlm.ask(decoded, question);
    expect(await vlm.ask(image, question)).toBe(answer);
    const answerId = Number(vlm.tokenizer.encode(answer).at(-1));
    expect(await vlm.ask(decoded, question, { bad_words_ids: [[answerId]] })).not.toBe(answer);
  });
});

test.each([
  { given: undefined, extra: { session: { force_spinning_stop: '1' } } },
  { given: { interOpNumThreads: 1 }, extra: { session: { force_spinning_stop: '1' } } },
  { given: { extra: { session: {} } }, extra: { session: {} } },
])('threads of idle sessions do not spin, unless `extra` is given: $given', async ({ given, extra }) => {
  const from = vi.spyOn(LlavaForConditionalGeneration, 'from_pretrained');
  const { model } = await loadTinyVlm({ size: 'small', ...(given && { session_options: given }) });
  expect(from.mock.lastCall?.[1]?.session_options).toEqual({ ...given, extra });
  from.mockRestore();
  await model.dispose();
});

test('rejects an unknown size', async () => {
  await expect(loadTinyVlm({ size: 'huge' as ModelSize })).rejects.toMatchObject({
    code: 'MMTOK_INVALID_OPTIONS',
    message: expect.stringContaining("one of base, small, tiled as the size of the model, got 'huge'"),
  });
});
