// The weights of the tiled model: they load offline in plain transformers.js as Idefics 3, and images are split as in the training
// project. Accuracy is tested in accuracy.model.test.ts.
import { env, Idefics3ForConditionalGeneration, RawImage, type Tensor } from '@huggingface/transformers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildPrompt, loadTinyVlm, samples, TILED_SCENE_SIZE, type TinyVlm } from '../src/node.js';

/** Tiles along an edge, pixels along a tile's edge, and vision tokens per tile. */
const [GRID, TILE, TOKENS] = [4, 64, 16];

interface Inputs {
  readonly input_ids: Tensor;
  readonly pixel_values: Tensor;
  readonly pixel_attention_mask: Tensor;
}

/** The members of a session that are used here. */
interface Session {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly dims: readonly number[] }>>;
}

/** The class of a session, which opens sessions. */
interface SessionClass {
  create(source: unknown): Promise<unknown>;
}

const { fetch } = env;
let vlm: TinyVlm;
beforeAll(async () => {
  env.fetch = (input) => Promise.reject(new Error(`went to the network for ${String(input)}`));
  vlm = await loadTinyVlm({ size: 'tiled' });
});
afterAll(async () => {
  env.fetch = fetch;
  await vlm.model.dispose();
});

/** An image of noise, which differs at every pixel. */
function noise(width: number, height: number): RawImage {
  const data = Uint8ClampedArray.from(
    { length: 3 * width * height },
    (_, at) => Math.imul(at + 1, 0x9e3779b1) >>> 24,
  );
  return new RawImage(data, width, height, 3);
}

const inputsOf = (image: RawImage): Promise<Inputs> => vlm.processor(buildPrompt('What is it?'), [image]);

test('loads offline as a plain Idefics3ForConditionalGeneration', () => {
  expect(vlm.model).toBeInstanceOf(Idefics3ForConditionalGeneration);
});

test('tiles are cut without sessions of transformers.js, whose threads would spin', async () => {
  const create = vi.spyOn(
    (vlm.model.sessions.vision_encoder as object).constructor as unknown as SessionClass,
    'create',
  );
  await inputsOf(noise(300, 70));
  expect(create).not.toHaveBeenCalled();
  create.mockRestore();
});

test('an image becomes its tiles, row by row, each after its marker, and then the overview', async () => {
  const { input_ids } = await inputsOf(noise(TILED_SCENE_SIZE, TILED_SCENE_SIZE));
  const ids = Array.from(input_ids.data as BigInt64Array, Number);
  const words = vlm.tokenizer.decode(ids).split(' ').filter(Boolean);
  const tile = (marker: string): string[] => [
    '<fake_token_around_image>',
    marker,
    ...Array.from({ length: TOKENS }, () => '<image>'),
  ];
  const markers = Array.from(
    { length: GRID ** 2 },
    (_, at) => `<row_${Math.floor(at / GRID) + 1}_col_${(at % GRID) + 1}>`,
  );
  const picture = [...markers, '<global-img>'].flatMap(tile);
  const text = 'question what is it ? answer'.split(' ');
  expect(words.join(' ').replaceAll('><', '> <').split(' ')).toEqual([
    '<s>',
    ...picture,
    '<fake_token_around_image>',
    ...text,
  ]);
});

test('tiles are parts of the image, and the overview has the middle of every 4 × 4 pixels, as in training', async () => {
  const image = noise(TILED_SCENE_SIZE, TILED_SCENE_SIZE);
  const { pixel_values } = await inputsOf(image);
  expect(pixel_values.dims).toEqual([1, GRID ** 2 + 1, 3, TILE, TILE]);
  const values = pixel_values.data as Float32Array;
  const level = (x: number, y: number, channel: number): number =>
    (image.data[3 * (y * TILED_SCENE_SIZE + x) + channel] as number) / 127.5 - 1;
  const seen = (frame: number, x: number, y: number, channel: number): number =>
    values[((frame * 3 + channel) * TILE + y) * TILE + x] as number;
  for (let at = 0; at < TILE * TILE; at += 7) {
    const [x, y, channel] = [at % TILE, Math.floor(at / TILE), at % 3];
    expect(seen(6, x, y, channel)).toBeCloseTo(level(2 * TILE + x, TILE + y, channel), 5);
    const middle = [1, 2].flatMap((dy) => [1, 2].map((dx) => level(4 * x + dx, 4 * y + dy, channel)));
    expect(seen(GRID ** 2, x, y, channel)).toBeCloseTo(middle.reduce((a, b) => a + b) / 4, 5);
  }
});

test('smaller and oblong images have fewer tiles or none', async () => {
  const tiles = async (width: number, height: number): Promise<number> =>
    (await inputsOf(noise(width, height))).pixel_values.dims[1] as number;
  // The longer edge becomes 256 pixels.
  expect([await tiles(64, 32), await tiles(300, 70), await tiles(900, 900)]).toEqual([
    2 * GRID + 1,
    GRID + 1,
    GRID ** 2 + 1,
  ]);
});

test('the vision encoder returns features after and before the projector, and saliency, for each tile', async () => {
  const { pixel_values, pixel_attention_mask } = await inputsOf(noise(TILED_SCENE_SIZE, TILED_SCENE_SIZE));
  const session = vlm.model.sessions.vision_encoder as Session;
  const mask = pixel_attention_mask.clone();
  // The last two tiles are padding.
  (mask.data as Uint8Array).fill(0, -2 * TILE * TILE);
  const run = (given: Tensor) =>
    session.run({ pixel_values: pixel_values.ort_tensor, pixel_attention_mask: given.ort_tensor });
  const outputs = await run(pixel_attention_mask);
  expect(session.outputNames).toEqual(['image_features', 'vision_features', 'vision_saliency']);
  expect(outputs.image_features?.dims).toEqual([GRID ** 2 + 1, TOKENS, 128]);
  expect(outputs.vision_features?.dims).toEqual([GRID ** 2 + 1, TOKENS, 512]);
  expect(outputs.vision_saliency?.dims).toEqual([GRID ** 2 + 1, TOKENS]);
  expect((await run(mask)).image_features?.dims).toEqual([GRID ** 2 - 1, TOKENS, 128]);
});

test('ask takes an image, and passes options to generate', async () => {
  const [{ image, question } = { image: '', question: '' }] = await samples({ size: 'tiled' });
  const answer = await vlm.ask(image, question);
  const answerId = Number(vlm.tokenizer.encode(answer).at(-1));
  const other = await vlm.ask(await RawImage.read(image), question, { bad_words_ids: [[answerId]] });
  expect(other).not.toBe(answer);
});
