// Every tiny family loads and generates in unmodified transformers.js, and whatever a pruner could get wrong changes its output.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AutoModelForCausalLM,
  AutoModelForImageTextToText,
  cat,
  type PreTrainedModel,
  Tensor,
} from '@huggingface/transformers';
import { appendGraphOutput, readGraph } from '@mmtok/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildTinyModel,
  familyNames,
  invertBlock,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
} from './index.js';
import { changed, embeddingSession, type Feeds, type Session, whileFed } from './session-probe.js';

// The very module that transformers.js runs its sessions on.
const { InferenceSession } = createRequire(
  createRequire(import.meta.url).resolve('@huggingface/transformers'),
)('onnxruntime-node') as typeof import('onnxruntime-node');

type OnnxTensors = import('onnxruntime-node').InferenceSession.OnnxValueMapType;

const QUESTION = 'what is in the image ?';
const NEW_TOKENS = 6;
/** Values that differ by more differ for a reason; by less, from rounding. */
const ROUNDING = 1e-4;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tiny-models-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each(familyNames)('%s', (name) => {
  let tiny: TinyModel;
  let loaded: LoadedTinyModel;
  let inputs: ModelInputs;
  let logits: Float32Array;
  const prefill = (given: ModelInputs = inputs) => lastLogits(loaded.model, given, tiny.eosTokenId);

  beforeAll(async () => {
    tiny = await buildTinyModel(name, { directory });
    loaded = await tiny.load();
    inputs = await loaded.inputs(QUESTION, [noiseImage(tiny.imageSize)]);
    logits = await prefill();
  });
  afterAll(() => loaded.dispose());

  it('is what the library loads for its configuration', async () => {
    expect(loaded.model).toBeInstanceOf(tiny.modelClass);
    // Janus is loaded by its own class only.
    const loader =
      name === 'phi3_v'
        ? AutoModelForCausalLM
        : name === 'multi_modality'
          ? tiny.modelClass
          : AutoModelForImageTextToText;
    const model = await loader.from_pretrained(tiny.path, { local_files_only: true });
    expect(model.constructor).toBe(tiny.modelClass);
    await model.dispose();
  });

  it('has the stated number of vision tokens in its prompt', () => {
    expect(tiny.visualSlots(inputs)).toHaveLength(tiny.tokensPerImage);
  });

  it('generates the same tokens every time, and the same as without a cache', async () => {
    const tokens = await newTokens(loaded.model, inputs);
    expect(tokens).toHaveLength(NEW_TOKENS);
    expect(new Set(tokens).size).toBeGreaterThan(1);
    expect(await newTokens(loaded.model, inputs)).toEqual(tokens);
    for (const [index, token] of tokens.entries()) {
      const sequence = await prefill(extended(loaded.model, inputs, tokens.slice(0, index), tiny.eosTokenId));
      expect(argMax(sequence), `token ${index}`).toBe(token);
    }
  });

  it('depends on every part of the image', async () => {
    const image = noiseImage(tiny.imageSize);
    const [width, height] = [tiny.imageSize.width / 2, tiny.imageSize.height / 2];
    for (const [x, y] of [
      [0, 0],
      [width, 0],
      [0, height],
      [width, height],
    ] as const) {
      const painted = await loaded.inputs(QUESTION, [invertBlock(image, x, y, width / 2)]);
      expect(distance(await prefill(painted), logits), `block at ${x}, ${y}`).toBeGreaterThan(ROUNDING);
    }
  });

  it('depends on every vision token', async () => {
    for (const slot of tiny.visualSlots(inputs)) {
      const nudged = await whileFed(embeddingSession(loaded.model), nudge(slot, tiny.hiddenSize), () =>
        prefill(),
      );
      expect(distance(nudged, logits), `slot ${slot}`).toBeGreaterThan(ROUNDING);
    }
  });

  it('has vision token i at its place in the grid, and only there', async ({ skip }) => {
    const { grid, imageSize } = tiny;
    if (grid === undefined) return skip('its tokens form no grid');
    const side = imageSize.width / grid.columns;
    expect(imageSize.height / grid.rows).toBe(side);
    const plain = await visualRows(tiny, loaded.model, inputs);
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < grid.columns; column++) {
        const painted = invertBlock(noiseImage(imageSize), column * side, row * side, side);
        const seen = await visualRows(tiny, loaded.model, await loaded.inputs(QUESTION, [painted]));
        const touched = [...seen.keys()].filter((index) => distance(seen[index]!, plain[index]!) > ROUNDING);
        expect(touched).toEqual([row * grid.columns + column]);
      }
    }
  });

  it('depends on every axis of the positions', async () => {
    const session = embeddingSession(loaded.model);
    const axes = { position_ids: 1, mrope: 3, internal: 0 }[tiny.positions];
    expect(session.inputNames.includes('position_ids')).toBe(axes > 0);
    for (let axis = 0; axis < axes; axis++) {
      const shifted = await whileFed(session, shiftPositions(axis, axes), () => prefill());
      expect(distance(shifted, logits), `axis ${axis}`).toBeGreaterThan(ROUNDING);
    }
  });

  it('ignores padding', async () => {
    expect(distance(await prefill(padded(loaded.model, inputs, 3)), logits)).toBeLessThan(ROUNDING);
  });

  it('can mark the rows of its projected features', async () => {
    const marked = await buildTinyModel(name, { directory: join(directory, 'marked'), markRows: true });
    const { model, dispose } = await marked.load();
    const seen = await visualRows(marked, model, inputs);
    expect(seen.map((row) => row.at(-1))).toEqual(
      Array.from({ length: marked.tokensPerImage }, (_, row) => row),
    );
    await dispose();
  });

  it('has a tensor before the projector with one row per vision token, which can be an output', async () => {
    const exposing = await buildTinyModel(name, {
      directory: join(directory, 'exposed'),
      exposeVisionFeatures: true,
    });
    const { file, tensor, size } = exposing.visionFeatures;
    const bytes = await readFile(join(exposing.path, 'onnx', `${file}.onnx`));
    expect(readGraph(bytes).outputs.map((output) => output.name)).toContain('vision_features');

    const session = await InferenceSession.create(appendGraphOutput(bytes, tensor));
    const outputs = await session.run(await visionFeeds(tiny, loaded.model, inputs));
    expect(outputs.vision_features!.size).toBe(tiny.tokensPerImage * size);
    expect(outputs.vision_features!.dims.at(-1)).toBe(size);
    expect(outputs[tensor]!.data).toEqual(outputs.vision_features!.data);
    await session.release();
  });

  it('has row i before the projector for vision token i, or states that it does not', async ({ skip }) => {
    const { grid, imageSize, visionFeatures } = tiny;
    if (grid === undefined) return skip('its tokens form no grid');
    const bytes = await readFile(join(tiny.path, 'onnx', `${visionFeatures.file}.onnx`));
    const session = await InferenceSession.create(appendGraphOutput(bytes, visionFeatures.tensor));
    const rowsOf = async (given: ModelInputs): Promise<Float32Array[]> => {
      const outputs = await session.run(await visionFeeds(tiny, loaded.model, given));
      return rows(outputs[visionFeatures.tensor]!.data as Float32Array, visionFeatures.size);
    };
    const side = imageSize.width / grid.columns;
    const plain = await rowsOf(inputs);
    const order: number[] = [];
    for (let token = 0; token < tiny.tokensPerImage; token++) {
      const [x, y] = [(token % grid.columns) * side, Math.floor(token / grid.columns) * side];
      const painted = await loaded.inputs(QUESTION, [invertBlock(noiseImage(imageSize), x, y, side)]);
      const touched = (await rowsOf(painted)).map((row, index) => distance(row, plain[index]!) > ROUNDING);
      expect(touched.filter(Boolean)).toHaveLength(1);
      order.push(touched.indexOf(true));
    }
    const inOrder = Array.from({ length: tiny.tokensPerImage }, (_, token) => token);
    if (visionFeatures.inOrder) expect(order).toEqual(inOrder);
    else expect(order).not.toEqual(inOrder);
    await session.release();
  });

  it('accepts several images in one prompt if it states so', async ({ skip }) => {
    skip(!tiny.severalImages, 'one image per prompt');
    const images = [noiseImage(tiny.imageSize), noiseImage(tiny.imageSize, 2)];
    const both = await loaded.inputs(QUESTION, images);
    expect(tiny.visualSlots(both)).toHaveLength(2 * tiny.tokensPerImage);
    expect(await newTokens(loaded.model, both)).toHaveLength(NEW_TOKENS);
    const swapped = await loaded.inputs(QUESTION, images.reverse());
    expect(distance(await prefill(both), await prefill(swapped))).toBeGreaterThan(ROUNDING);
  });

  it('has the same bytes for the same seed and other weights for another', async () => {
    const same = await buildTinyModel(name, { directory: join(directory, 'same') });
    const other = await buildTinyModel(name, { directory: join(directory, 'other'), seed: 2 });
    for (const file of await readdir(join(tiny.path, 'onnx'))) {
      const bytes = await readFile(join(tiny.path, 'onnx', file));
      expect(bytes.equals(await readFile(join(same.path, 'onnx', file))), file).toBe(true);
      expect(bytes.equals(await readFile(join(other.path, 'onnx', file))), file).toBe(false);
    }
  });

  it('can omit position_ids, except with mRoPE', async () => {
    const building = buildTinyModel(name, { directory: join(directory, 'counting'), positionIds: false });
    if (tiny.positions === 'mrope') {
      await expect(building).rejects.toThrow('mRoPE');
    } else {
      const { model, dispose } = await (await building).load();
      expect(embeddingSession(model).inputNames).not.toContain('position_ids');
      expect(await newTokens(model, inputs)).toHaveLength(NEW_TOKENS);
      await dispose();
    }
  });
});

async function newTokens(model: PreTrainedModel, inputs: ModelInputs): Promise<number[]> {
  const sequences = (await model.generate({ ...inputs, max_new_tokens: NEW_TOKENS } as Parameters<
    PreTrainedModel['generate']
  >[0])) as Tensor;
  return Array.from(sequences.data as BigInt64Array, Number).slice(-NEW_TOKENS);
}

/** Logits after the last token of a prompt. An encoder-decoder starts its answer with `start`. */
async function lastLogits(model: PreTrainedModel, inputs: ModelInputs, start: number): Promise<Float32Array> {
  const answer = model.config.is_encoder_decoder ? { decoder_input_ids: tokens([start]) } : {};
  const { logits } = await model.forward({ ...answer, ...inputs });
  return (logits as Tensor).data.slice(-(logits as Tensor).dims.at(-1)!) as Float32Array;
}

/** The embeddings of the visual tokens as the language model gets them. */
async function visualRows(
  tiny: TinyModel,
  model: PreTrainedModel,
  inputs: ModelInputs,
): Promise<Float32Array[]> {
  const feeds = await feedsOf(embeddingSession(model), () => lastLogits(model, inputs, tiny.eosTokenId));
  const embeddings = rows(feeds.inputs_embeds!.data as Float32Array, tiny.hiddenSize);
  return tiny.visualSlots(inputs).map((slot) => embeddings[slot]!);
}

/** What the vision session is fed for a prompt, for a session of the same file. */
async function visionFeeds(
  tiny: TinyModel,
  model: PreTrainedModel,
  inputs: ModelInputs,
): Promise<OnnxTensors> {
  const session = model.sessions[tiny.visionFeatures.file];
  const feeds = await feedsOf(session, () => lastLogits(model, inputs, tiny.eosTokenId));
  return feeds as unknown as OnnxTensors;
}

/** What `session` is fed the last time that `action` runs it. */
async function feedsOf(session: Session, action: () => Promise<unknown>): Promise<Feeds> {
  let feeds: Feeds = {};
  const keep = (fed: Feeds): Feeds => {
    feeds = fed;
    return fed;
  };
  await whileFed(session, keep, action);
  return feeds;
}

function rows(data: Float32Array, width: number): Float32Array[] {
  return Array.from({ length: data.length / width }, (_, row) => data.slice(row * width, (row + 1) * width));
}

/** The prompt with tokens of the answer after it. */
function extended(model: PreTrainedModel, inputs: ModelInputs, answer: number[], start: number): ModelInputs {
  if (model.config.is_encoder_decoder) return { ...inputs, decoder_input_ids: tokens([start, ...answer]) };
  return answer.length === 0 ? inputs : joined(inputs, answer, 1n, (own, more) => [own, more]);
}

/** The prompt with padding where this kind of model has it. */
function padded(model: PreTrainedModel, inputs: ModelInputs, count: number): ModelInputs {
  const padding = new Array<number>(count).fill(0);
  return joined(inputs, padding, 0n, (own, more) =>
    model.config.is_encoder_decoder ? [own, more] : [more, own],
  );
}

/** All inputs that have a value per token, joined with values for further text tokens. */
function joined(
  inputs: ModelInputs,
  ids: readonly number[],
  attention: bigint,
  order: (own: Tensor, more: Tensor) => [Tensor, Tensor],
): ModelInputs {
  const attentionMask = new Tensor('int64', new BigInt64Array(ids.length).fill(attention), [1, ids.length]);
  return {
    ...inputs,
    input_ids: cat(order(inputs.input_ids!, tokens(ids)), 1),
    attention_mask: cat(order(inputs.attention_mask!, attentionMask), 1),
    ...(inputs.images_seq_mask && {
      images_seq_mask: cat(
        order(inputs.images_seq_mask, new Tensor('bool', new Uint8Array(ids.length), [1, ids.length])),
        1,
      ),
    }),
  };
}

function tokens(ids: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
}

/** Changes one row of the embeddings. */
function nudge(row: number, width: number): (feeds: Feeds) => Feeds {
  return (feeds) => ({
    ...feeds,
    inputs_embeds: changed(feeds.inputs_embeds!, (old, place) =>
      Math.floor(place / width) === row ? old + (place % 2 === 0 ? 1 : -1) : old,
    ),
  });
}

/** Moves all positions of one axis on by one. */
function shiftPositions(axis: number, axes: number): (feeds: Feeds) => Feeds {
  return (feeds) => {
    const perAxis = feeds.position_ids!.data.length / axes;
    return {
      ...feeds,
      position_ids: changed(feeds.position_ids!, (old, place) =>
        Math.floor(place / perAxis) === axis ? old + 1 : old,
      ),
    };
  };
}

function argMax(values: Float32Array): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
}
