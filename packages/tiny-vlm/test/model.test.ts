// The weights of both models: they load offline in plain transformers.js, have the shapes that their configurations state,
// and answer as well as the card says.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env, LlavaForConditionalGeneration, RawImage, type Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  heldOut,
  loadTinyVlm,
  type ModelSize,
  modelPath,
  questionKinds,
  samples,
  smallModelPath,
  type TinyVlm,
} from '../src/node.js';

/** How many of the held-out questions are asked here. */
const QUESTIONS = 270;
/** Accuracy on them at least. */
const FLOOR: Readonly<Record<ModelSize, number>> = { base: 0.95, small: 0.9 };
/** Accuracy on them at most where every question gets another scene's picture. */
const GUESSING = 0.55;
/** How far accuracy on them may lie from what the README states for all: three standard errors of the smaller number. */
const TOLERANCE = 0.06;
/** Hundreds of answers, on a machine that runs other tests as well, in ms. */
const PATIENCE = 300_000;

/** A session of the model, as far as it is used here. */
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

const questions = await heldOut({ limit: QUESTIONS });
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

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

  test('loads offline as a plain LlavaForConditionalGeneration and leaves the global settings alone', () => {
    expect(vlm.model).toBeInstanceOf(LlavaForConditionalGeneration);
    expect(env.allowRemoteModels).toBe(true);
  });

  test('the vision encoder gives features after and before the projector, and saliency', async () => {
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

  test('ask takes an image, and passes options on to generate', async () => {
    const [{ image, question } = { image: '', question: '' }] = await samples();
    const decoded = await RawImage.read(image);
    const answer = await vlm.ask(decoded, question);
    expect(await vlm.ask(image, question)).toBe(answer);
    const answerId = Number(vlm.tokenizer.encode(answer).at(-1));
    expect(await vlm.ask(decoded, question, { bad_words_ids: [[answerId]] })).not.toBe(answer);
  });

  test(
    'answers held-out questions as well as the README states',
    async () => {
      const { overall, byKind } = await evaluate({ answer: vlm.ask, questions });
      expect(Object.keys(byKind)).toEqual([...questionKinds]);
      expect(overall.accuracy).toBeGreaterThanOrEqual(FLOOR[size]);
      expect(Math.abs(overall.accuracy - statedAccuracy('**all**', size))).toBeLessThanOrEqual(TOLERANCE);
    },
    PATIENCE,
  );

  test(
    'looks at the image: with the images of other scenes accuracy collapses',
    async () => {
      const third = questions.filter((_, index) => index % 3 === 0);
      const swapped = third.map((question, index) => ({ ...question, image: third.at(index - 7)!.image }));
      const { overall } = await evaluate({ answer: vlm.ask, questions: swapped });
      expect(overall.accuracy).toBeLessThan(GUESSING);
    },
    PATIENCE,
  );
});

test('the base model answers all samples', async () => {
  const { ask, model } = await loadTinyVlm();
  for (const { image, question, answer } of await samples()) {
    expect(`${question} ${await ask(image, question)}`).toBe(`${question} ${answer}`);
  }
  await model.dispose();
});

test('a size that there is not is refused', async () => {
  await expect(loadTinyVlm({ size: 'huge' as ModelSize })).rejects.toMatchObject({
    code: 'MMTOK_INVALID_OPTIONS',
    message: expect.stringContaining("'huge': expected one of base, small"),
  });
});

/** What the README's table of accuracy states for a kind and a model, from 0 to 1. */
function statedAccuracy(kind: string, size: ModelSize): number {
  const rows = readme.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const head = rows.find((cells) => cells.includes('questions') && cells.includes(size)) ?? [];
  const row = rows.find((cells) => cells[1] === kind && cells.length === head.length) ?? [];
  return Number.parseFloat(row[head.indexOf(size)] ?? '') / 100;
}
