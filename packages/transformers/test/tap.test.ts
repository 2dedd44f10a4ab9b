// Features from before the projector: found in every family's file, in the order of the vision tokens, and used.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReferenceBackend, InvalidOptionsError } from '@mmtok/core';
import { readGraph } from '@mmtok/onnx';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findProjectorInput } from '../src/files/find-projector-input.js';
import {
  createVlm,
  type LoadVlmOptions,
  type PruneReport,
  prune,
  tapVisionEncoder,
  VisionFeaturesError,
} from '../src/index.js';
import { tapOf } from '../src/internal/tapped-sessions.js';
import { generate } from './support/reference.js';
import {
  buildTinyModel,
  type FamilyName,
  families,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapped-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const withEncoder = (Object.keys(families) as FamilyName[]).filter((name) => name !== 'multi_modality');
/** Here the fixture counts the layer that merges patches as part of the encoder; the tensor before it works as well. */
const merging: readonly FamilyName[] = ['mistral3', 'lighton_ocr'];

const fileOf = (tiny: TinyModel): string => join(tiny.path, 'onnx', `${tiny.visionFeatures.file}.onnx`);

/** The selection of a model, with its encoder tapped or not. */
async function selected(tiny: TinyModel, tapped: boolean): Promise<PruneReport> {
  const { model, processor, tokenizer, inputs, dispose } = await tiny.load();
  if (tapped) await tapVisionEncoder(model, { file: fileOf(tiny) });
  const handle = prune(model, {
    processor: processor.tokenizer === undefined ? { tokenizer } : processor,
    backend: createReferenceBackend(),
    budget: { ratio: 0.5 },
    minVisionTokens: 1,
  });
  const prompt = await inputs('what is in the image ?', [noiseImage(tiny.imageSize)]);
  await generate(model, { ...prompt, max_new_tokens: 2 });
  const report = handle.lastReport as PruneReport;
  await dispose();
  return report;
}

describe.each(withEncoder)('%s', (name) => {
  it('has a projector whose input is found', async () => {
    const tiny = await buildTinyModel(name, { directory });
    const found = findProjectorInput(readGraph(await readFile(fileOf(tiny))), 'image_features');
    expect(found?.features).toBeDefined();
    if (!merging.includes(name)) expect(found?.features).toBe(tiny.visionFeatures.tensor);
    expect(found?.order !== undefined).toBe(!tiny.visionFeatures.inOrder);
  });

  it('selects with tapped features', async () => {
    const tiny = await buildTinyModel(name, { directory });
    const tapped = await selected(tiny, true);
    expect(tapped.visionFeatureSource).toBe('preProjector');
    const plain = await selected(tiny, false);
    expect(plain.visionFeatureSource).toBe('projected');
    expect(tapped.keptTokens).toBe(plain.keptTokens);
  });

  it('selects the same tokens as with features that the export outputs', async ({ skip }) => {
    const tiny = await buildTinyModel(name, { directory });
    skip(merging.includes(name) || !tiny.visionFeatures.inOrder, 'its export gives other features');
    const tapped = await selected(tiny, true);
    const exposing = await buildTinyModel(name, {
      directory: join(directory, 'exposed'),
      exposeVisionFeatures: true,
    });
    const exposed = await selected(exposing, false);
    expect(exposed.visionFeatureSource).toBe('preProjector');
    expect(exposed.images[0]?.selections[0]?.order).toEqual(tapped.images[0]?.selections[0]?.order);
  });
});

it('reorders features from window order to token order', async () => {
  const tiny = await buildTinyModel('qwen2_5_vl', { directory });
  const { model, inputs, dispose } = await tiny.load();
  await tapVisionEncoder(model, { file: fileOf(tiny) });
  const { families: all } = await import('../src/index.js');
  const family = all.find((one) => one.modelTypes.includes('qwen2_5_vl'));
  if (family?.status !== 'pruned') throw new Error('Qwen2.5-VL is pruned');
  const prompt = await inputs('what ?', [noiseImage(tiny.imageSize)]);
  const { projected, others } = await family.adapter.encode(model as never, prompt);
  const { order } = findProjectorInput(readGraph(await readFile(fileOf(tiny))), 'image_features') ?? {};
  const raw = await model.sessions.vision_encoder.run(
    Object.fromEntries(
      (model.sessions.vision_encoder.inputNames as string[]).map((input) => [
        input,
        prompt[input]?.ort_tensor,
      ]),
    ),
  );
  const indices = Array.from(raw[order as string].data as BigInt64Array, Number);
  expect(indices).not.toEqual([...indices].sort((a, b) => a - b));
  const features = Object.values(others)[0] as NonNullable<(typeof others)[string]>;
  expect(features.dims.at(-2)).toBe(projected.dims.at(-2));
  const width = features.dims.at(-1) as number;
  const window = raw[tiny.visionFeatures.tensor].data as Float32Array;
  indices.forEach((from, to) => {
    const row = (features.data as Float32Array).slice(to * width, (to + 1) * width);
    expect(row).toEqual(window.slice(from * width, (from + 1) * width));
  });
  await dispose();
});

describe("visionFeatures: 'patches'", () => {
  it('are the means of the patches of each token, in the order of the tokens', async () => {
    const tiny = await buildTinyModel('qwen2_5_vl', { directory });
    const vlm = await createVlm(tiny.path, { visionFeatures: 'patches', minVisionTokens: 1, keep: 4 });
    const { features, patches, order } = tapOf(vlm.model.sessions.vision_encoder) ?? {};
    const image = noiseImage(tiny.imageSize);
    let compared: Float32Array = new Float32Array();
    const { report } = await vlm.ask({
      image,
      question: 'what ?',
      maxNewTokens: 1,
      mmtok: {
        select: ({ visionFeatures }, { tokens }) => {
          compared = visionFeatures?.data ?? compared;
          return Array.from({ length: tokens }, (_, token) => token);
        },
      },
    });
    expect(report.visionFeatureSource).toBe('patches');
    const loaded = await tiny.load();
    const prompt = await loaded.inputs('what ?', [image]);
    await loaded.dispose();
    const session = vlm.model.sessions.vision_encoder;
    const names = session.inputNames as string[];
    const raw = await session.run(Object.fromEntries(names.map((name) => [name, prompt[name]?.ort_tensor])));
    const indices = Array.from(raw[order as string].data as BigInt64Array, Number);
    const width = raw[patches as string].dims.at(-1) as number;
    expect(raw[features as string].dims.at(-1)).toBe(4 * width);
    const data = raw[patches as string].data as Float32Array;
    const expected = indices.flatMap((from) =>
      Array.from({ length: width }, (_, d) => {
        const four = [0, 1, 2, 3].map((patch) => data[(from * 4 + patch) * width + d] as number);
        return four.reduce((sum, value) => sum + value, 0) / 4;
      }),
    );
    expect(compared).toHaveLength(expected.length);
    compared.forEach((value, at) => {
      expect(value).toBeCloseTo(expected[at] as number, 5);
    });
    await vlm.dispose();
  });

  it('are rejected if the model was loaded without them, or merges patches differently', async () => {
    const ask = async (name: FamilyName, tap: LoadVlmOptions['tap']): Promise<unknown> => {
      const tiny = await buildTinyModel(name, { directory });
      const options = { visionFeatures: 'patches', minVisionTokens: 1, tap } as const;
      await using vlm = await createVlm(tiny.path, { ...options, tap: tap as NonNullable<typeof tap> });
      return await vlm.ask({ image: noiseImage(tiny.imageSize), question: 'what ?', maxNewTokens: 1 });
    };
    await expect(ask('qwen2_5_vl', true)).rejects.toThrow(/tap: \{ patches: true \}/);
    await expect(ask('smolvlm', { patches: true })).rejects.toBeInstanceOf(VisionFeaturesError);
  });

  it('change nothing if they are exposed but not requested', async () => {
    const tiny = await buildTinyModel('qwen2_vl', { directory });
    const orders: unknown[] = [];
    for (const tap of [true, { patches: true }]) {
      await using vlm = await createVlm(tiny.path, { tap, minVisionTokens: 1, keep: 4 });
      const { report } = await vlm.ask({ image: noiseImage(tiny.imageSize), question: 'cat ?' });
      expect(report.visionFeatureSource).toBe('preProjector');
      orders.push(report.images[0]?.order);
    }
    expect(orders[0]).toEqual(orders[1]);
  });
});

describe('tapVisionEncoder', () => {
  it('accepts the name of a tensor, and rejects wrong names and files', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const { model, dispose } = await tiny.load();
    const file = fileOf(tiny);
    const bad = join(directory, 'no-model.onnx');
    await writeFile(bad, 'version https://git-lfs.github.com/spec/v1');
    await expect(tapVisionEncoder(model, { file, tensor: 'nonsense' })).rejects.toThrow(/nonsense/);
    await expect(tapVisionEncoder(model, { file: bad })).rejects.toBeInstanceOf(VisionFeaturesError);
    const decoder = join(tiny.path, 'onnx', 'decoder_model_merged.onnx');
    await expect(tapVisionEncoder(model, { file: decoder })).rejects.toBeInstanceOf(VisionFeaturesError);
    const { proxy: unreadable, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const nothing of [{}, null, undefined, unreadable])
      await expect(tapVisionEncoder(nothing as never, { file })).rejects.toBeInstanceOf(VisionFeaturesError);
    const absent = tapVisionEncoder(model, { file: join(directory, 'absent.onnx') });
    await expect(absent).rejects.toBeInstanceOf(VisionFeaturesError);
    await expect(absent).rejects.toThrow(/ENOENT/);
    for (const options of [undefined, {}, { file: '' }, { file, tensors: 'x' }])
      await expect(tapVisionEncoder(model, options as never)).rejects.toBeInstanceOf(InvalidOptionsError);
    await expect(tapVisionEncoder(model, { file: bad })).rejects.toThrow(/[^.]\.$/);
    await expect(tapVisionEncoder(model, { file, tensor: 'nonsense' })).rejects.toThrow(/[^.]\.$/);
    await tapVisionEncoder(model, { file, tensor: tiny.visionFeatures.tensor });
    expect(model.sessions.vision_encoder.outputNames).toContain(tiny.visionFeatures.tensor);
    await dispose();
  });

  it('adds to the options of the session instead of replacing them', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const { model, dispose } = await tiny.load();
    const create = vi.spyOn(model.sessions.vision_encoder.constructor, 'create');
    const sessionOptions = { intraOpNumThreads: 1, extra: { session: { set_denormal_as_zero: '1' } } };
    await tapVisionEncoder(model, { file: fileOf(tiny), sessionOptions });
    expect(create.mock.lastCall?.[1]).toEqual({
      logSeverityLevel: 3,
      intraOpNumThreads: 1,
      extra: {
        session: {
          set_denormal_as_zero: '1',
          model_external_initializers_file_folder_path: join(tiny.path, 'onnx'),
        },
      },
    });
    create.mockRestore();
    await dispose();
  });
});
