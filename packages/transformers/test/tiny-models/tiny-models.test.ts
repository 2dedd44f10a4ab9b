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
  type FamilyName,
  families,
  invertBlock,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
} from './index.js';
import { changed, embeddingSession, type Feeds, whileFed } from './session-probe.js';

// The very module that transformers.js runs its sessions on.
const { InferenceSession } = createRequire(
  createRequire(import.meta.url).resolve('@huggingface/transformers'),
)('onnxruntime-node') as typeof import('onnxruntime-node');

const QUESTION = 'what is in the image ?';
const NEW_TOKENS = 6;
/** A change of logits that is no rounding. */
const NOTICEABLE = 1e-4;
/** Two ways to the same logits may differ by this much. */
const ROUNDING = 1e-4;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tiny-models-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each(Object.keys(families) as FamilyName[])('%s', (name) => {
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

  it('is what the library loads for its config', async () => {
    expect(loaded.model).toBeInstanceOf(tiny.modelClass);
    const auto = { phi3_v: AutoModelForCausalLM, multi_modality: undefined }[name as string];
    const loader = name in { phi3_v: 1, multi_modality: 1 } ? auto : AutoModelForImageTextToText;
    if (loader === undefined) return;
    const model = await loader.from_pretrained(tiny.path, { local_files_only: true });
    expect(model.constructor).toBe(tiny.modelClass);
    await model.dispose();
  });

  it('has as many visual tokens in its prompt as it says', () => {
    expect(tiny.visualSlots(inputs)).toHaveLength(tiny.tokensPerImage);
  });

  it('generates the same words every time, and the words that the whole sequence without a cache gives', async () => {
    const tokens = await newTokens(loaded.model, inputs);
    expect(tokens).toHaveLength(NEW_TOKENS);
    expect(new Set(tokens).size).toBeGreaterThan(1);
    expect(await newTokens(loaded.model, inputs)).toEqual(tokens);
    for (const [index, token] of tokens.entries()) {
      const sequence = await prefill(extended(loaded.model, inputs, tokens.slice(0, index), tiny.eosTokenId));
      expect(argMax(sequence), `token ${index}`).toBe(token);
    }
  });

  it('lets every part of the picture change its output', async () => {
    const image = noiseImage(tiny.imageSize);
    const [width, height] = [tiny.imageSize.width / 2, tiny.imageSize.height / 2];
    for (const [x, y] of [
      [0, 0],
      [width, 0],
      [0, height],
      [width, height],
    ] as const) {
      const painted = await loaded.inputs(QUESTION, [invertBlock(image, x, y, width / 2)]);
      expect(distance(await prefill(painted), logits), `block at ${x}, ${y}`).toBeGreaterThan(NOTICEABLE);
    }
  });

  it('lets every visual token change its output', async () => {
    for (const slot of tiny.visualSlots(inputs)) {
      const nudged = await whileFed(embeddingSession(loaded.model), nudge(slot, tiny.hiddenSize), () =>
        prefill(),
      );
      expect(distance(nudged, logits), `slot ${slot}`).toBeGreaterThan(NOTICEABLE);
    }
  });

  it('lets every axis of the positions change its output', async () => {
    const session = embeddingSession(loaded.model);
    const axes = { position_ids: 1, mrope: 3, internal: 0 }[tiny.positions];
    expect(session.inputNames.includes('position_ids')).toBe(axes > 0);
    for (let axis = 0; axis < axes; axis++) {
      const shifted = await whileFed(session, shiftPositions(axis, axes), () => prefill());
      expect(distance(shifted, logits), `axis ${axis}`).toBeGreaterThan(NOTICEABLE);
    }
  });

  it('does not see padding', async () => {
    expect(distance(await prefill(padded(loaded.model, inputs, 3)), logits)).toBeLessThan(ROUNDING);
  });

  it('can mark the rows of its projected features', async () => {
    const marked = await buildTinyModel(name, { directory: join(directory, 'marked'), markRows: true });
    const { model, dispose } = await marked.load();
    let seen: number[] = [];
    await whileFed(
      embeddingSession(model),
      (feeds) => {
        const { data } = feeds.inputs_embeds!;
        seen = marked.visualSlots(inputs).map((slot) => Number(data[(slot + 1) * marked.hiddenSize - 1]));
        return feeds;
      },
      () => lastLogits(model, inputs, marked.eosTokenId),
    );
    expect(seen).toEqual(Array.from({ length: marked.tokensPerImage }, (_, row) => row));
    await dispose();
  });

  it('has a tensor before the projector with one row per visual token, which can be an output', async () => {
    const exposing = await buildTinyModel(name, {
      directory: join(directory, 'exposed'),
      exposeVisionFeatures: true,
    });
    const { file, tensor, size } = exposing.visionFeatures;
    const bytes = await readFile(join(exposing.path, 'onnx', `${file}.onnx`));
    expect(readGraph(bytes).outputs.map((output) => output.name)).toContain('vision_features');

    let feeds: Feeds = {};
    await whileFed(
      loaded.model.sessions[file],
      (fed) => {
        feeds = fed;
        return fed;
      },
      () => prefill(),
    );
    const session = await InferenceSession.create(appendGraphOutput(bytes, tensor));
    const outputs = await session.run(feeds as unknown as Parameters<typeof session.run>[0]);
    expect(outputs.vision_features!.size).toBe(tiny.tokensPerImage * size);
    expect(outputs.vision_features!.dims.at(-1)).toBe(size);
    expect(outputs[tensor]!.data).toEqual(outputs.vision_features!.data);
    await session.release();
  });

  it('is the same bytes for the same seed and other weights for another', async () => {
    const same = await buildTinyModel(name, { directory: join(directory, 'same') });
    const other = await buildTinyModel(name, { directory: join(directory, 'other'), seed: 2 });
    for (const file of await readdir(join(tiny.path, 'onnx'))) {
      const bytes = await readFile(join(tiny.path, 'onnx', file));
      expect(bytes.equals(await readFile(join(same.path, 'onnx', file))), file).toBe(true);
      expect(bytes.equals(await readFile(join(other.path, 'onnx', file))), file).toBe(false);
    }
  });

  it('can do without position_ids', async () => {
    const counting = await buildTinyModel(name, {
      directory: join(directory, 'counting'),
      positionIds: false,
    });
    const { model, dispose } = await counting.load();
    expect(embeddingSession(model).inputNames).not.toContain('position_ids');
    expect(await newTokens(model, inputs)).toHaveLength(NEW_TOKENS);
    await dispose();
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
