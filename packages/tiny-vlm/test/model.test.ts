// The weights: they load offline in plain transformers.js, have the outputs the card states, and answer as well as it says.
import { readFile } from 'node:fs/promises';
import { env, LlavaForConditionalGeneration, RawImage, type Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluate, heldOut, loadTinyVlm, questionKinds, samples, type TinyVlm } from '../src/index.js';

/** A session of the model, as far as it is used here. */
interface Session {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly dims: readonly number[] }>>;
}

const { fetch } = env;
let vlm: TinyVlm;
beforeAll(async () => {
  env.fetch = (input) => Promise.reject(new Error(`went to the network for ${String(input)}`));
  vlm = await loadTinyVlm();
});
afterAll(() => {
  env.fetch = fetch;
});

test('loads offline as a plain LlavaForConditionalGeneration and leaves the global settings alone', () => {
  expect(vlm.model).toBeInstanceOf(LlavaForConditionalGeneration);
  expect(env.allowRemoteModels).toBe(true);
});

test('the vision encoder gives features after and before the projector', async () => {
  const [{ image } = { image: '' }] = await samples();
  const inputs: { pixel_values: Tensor } = await vlm.processor(await RawImage.read(image), '<image>');
  const session = vlm.model.sessions.vision_encoder as Session;
  const outputs = await session.run({ pixel_values: inputs.pixel_values.ort_tensor });
  expect(session.outputNames).toEqual(['image_features', 'vision_features']);
  expect(outputs.image_features?.dims).toEqual([1, 256, 128]);
  expect(outputs.vision_features?.dims).toEqual([1, 256, 128]);
});

test('ask takes an image, and passes options on to generate', async () => {
  const [{ image, question, answer } = { image: '', question: '', answer: '' }] = await samples();
  const decoded = await RawImage.read(image);
  expect(await vlm.ask(decoded, question)).toBe(answer);
  const answerId = Number(vlm.tokenizer.encode(answer).at(-1));
  expect(await vlm.ask(decoded, question, { bad_words_ids: [[answerId]] })).not.toBe(answer);
});

test('answers all samples', async () => {
  for (const { image, question, answer } of await samples()) {
    expect(`${question} ${await vlm.ask(image, question)}`).toBe(`${question} ${answer}`);
  }
});

describe('on the held-out questions, with all vision tokens', async () => {
  const questions = await heldOut();
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

  test('accuracy is above the floor, and what the card states', async () => {
    const { overall, byKind } = await evaluate({ answer: vlm.ask, questions });
    expect(overall.accuracy).toBeGreaterThanOrEqual(0.835);
    // Another processor's rounding may turn a question or two.
    expect(Math.abs(overall.correct - statedCorrect(readme, '**all**'))).toBeLessThanOrEqual(4);
    for (const kind of questionKinds) {
      expect(Math.abs(byKind[kind]!.correct - statedCorrect(readme, kind)), kind).toBeLessThanOrEqual(2);
    }
    expect(byKind.relation!.accuracy, 'the card says that relations are at chance').toBeLessThan(0.65);
  });

  test('it looks at the image: with the images of other scenes accuracy collapses', async () => {
    const fifth = questions.filter((_, index) => index % 5 === 0);
    const swapped = fifth.map((question, index) => ({ ...question, image: fifth.at(index - 1)!.image }));
    const { overall } = await evaluate({ answer: vlm.ask, questions: swapped });
    expect(overall.accuracy).toBeLessThan(0.55);
  });
});

/** The number of correct answers in the README's row for `kind`. */
function statedCorrect(readme: string, kind: string): number {
  const cells = readme.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const correct = cells.find(([, first, second]) => first === kind && second?.includes(' / '))?.[2];
  return Number.parseInt(correct ?? '', 10);
}
