// The option `select`: a function selects, with any budget, several images, batches, and turns.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { Tensor } from '@huggingface/transformers';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallOptions,
  InvalidSelectionError,
  type PruneHandle,
  type PruneOptions,
  prune,
  type Select,
  type SelectFeatures,
  type SelectRequest,
  visionCoverage,
} from '../src/index.js';
import { answerOf, extended, generate, referenceTokens } from './support/reference.js';
import {
  buildTinyModel,
  type FamilyName,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
} from './tiny-models/index.js';

const COUNT = 4;
const QUESTION = 'what is in the image ?';
const last: Select = ({ vision }, { tokens, excluded }) =>
  Array.from({ length: vision.dims[0] as number }, (_, index) => index)
    .filter((index) => !excluded.includes(index))
    .reverse()
    .slice(0, tokens);

let directory: string;
let handle: PruneHandle | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'select-'));
});
afterEach(() => handle?.restore());
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Subject {
  readonly tiny: TinyModel;
  readonly loaded: LoadedTinyModel;
  readonly inputs: ModelInputs;
}

const subjects = new Map<FamilyName, Promise<Subject>>();
afterAll(async () => {
  for (const subject of subjects.values()) await (await subject).loaded.dispose();
});
function subject(name: FamilyName): Promise<Subject> {
  const known = subjects.get(name);
  if (known !== undefined) return known;
  const made = (async () => {
    const tiny = await buildTinyModel(name, { directory });
    const loaded = await tiny.load();
    return { tiny, loaded, inputs: await loaded.inputs(QUESTION, [noiseImage(tiny.imageSize)]) };
  })();
  subjects.set(name, made);
  return made;
}

function attach({ loaded }: Subject, options: Partial<PruneOptions> = {}): PruneHandle {
  handle = prune(loaded.model, {
    processor: loaded.processor,
    budget: { tokens: 3 },
    minVisionTokens: 1,
    select: last,
    ...options,
  });
  return handle;
}

const run = (on: Subject, mmtok?: CallOptions | false, given: ModelInputs = on.inputs): Promise<unknown> =>
  generate(on.loaded.model, { ...given, max_new_tokens: COUNT, ...(mmtok !== undefined && { mmtok }) });

/** Asks with a function that records its arguments. */
async function seen(on: Subject, mmtok: CallOptions = {}, given = on.inputs) {
  const calls: [SelectFeatures, SelectRequest][] = [];
  const select: Select = async (features, request) => {
    calls.push([features, request]);
    return last(features, request);
  };
  await run(on, { select, ...mmtok }, given);
  return calls;
}

describe.each<FamilyName>(['llava', 'smolvlm', 'qwen2_5_vl', 'phi3_v', 'florence2'])('%s', (name) => {
  it('keeps the returned tokens, and generates the same as on the shortened prompt', async () => {
    const on = await subject(name);
    attach(on);
    const answer = await run(on);
    const { tokensPerImage } = on.tiny;
    const kept = [tokensPerImage - 3, tokensPerImage - 2, tokensPerImage - 1];
    expect(handle?.lastReport?.images[0]).toMatchObject({
      reason: 'pruned',
      visionTokens: tokensPerImage,
      keptTokens: 3,
      indices: kept,
      order: kept.toReversed(),
      selections: [],
    });
    const pristine = await on.tiny.load();
    const prompt = name === 'florence2' ? 1 : (on.inputs.input_ids?.dims[1] as number);
    const compact = handle?.lastReport?.positions === 'compact';
    const reference = { tiny: on.tiny, pristine, inputs: on.inputs, kept, compact, count: COUNT };
    expect(answerOf(answer, prompt)).toEqual(await referenceTokens(reference));
    await pristine.dispose();
  });

  it('lets the function change its features, and transfer them to a worker', async () => {
    const on = await subject(name);
    attach(on);
    const answer = answerOf(await run(on), 0);
    const spoil: Select = (features, request) => {
      const chosen = last(features, request);
      for (const tensor of [features.vision, features.visionFeatures, features.text]) {
        if (tensor === undefined) continue;
        tensor.data.fill(Number.NaN);
        structuredClone(tensor.data.buffer, { transfer: [tensor.data.buffer as ArrayBuffer] });
      }
      return chosen;
    };
    expect(answerOf(await run(on, { select: spoil }), 0)).toEqual(answer);
    expect(answerOf(await run(on), 0)).toEqual(answer);
  });

  it('times encoding and prefill separately if pruning is off', async () => {
    const on = await subject(name);
    attach(on);
    await run(on, false);
    const report = handle?.lastReport;
    expect(report?.reason).toBe('disabled');
    expect(report?.timings.encodeMs).toBeGreaterThan(0);
    expect(report?.timings.prefillMs).toBeGreaterThan(0);
    expect(report?.timings.decodeMs).toBeGreaterThan(0);
  });
});

it('reports plain data for functions and objectives', async () => {
  const on = await subject('llava');
  for (const options of [{}, { select: undefined }]) {
    attach(on, options);
    await run(on);
    const { port1, port2 } = new MessageChannel();
    const arrived = new Promise((resolve) => port2.once('message', resolve));
    port1.postMessage(handle?.lastReport);
    expect(await arrived).toEqual(handle?.lastReport);
    port1.close();
    await handle?.restore();
  }
});

it('gives the function features, text, tiles, and the number of tokens to keep', async () => {
  const on = await subject('llava');
  attach(on);
  const [[features, request]] = (await seen(on, { exclude: [[0, 5]] })) as [[SelectFeatures, SelectRequest]];
  expect(features.vision.dims[0]).toBe(16);
  expect(features.visionFeatures).toBeUndefined();
  expect(features.text?.dims).toEqual([2, features.vision.dims[1]]);
  expect(features.tiles).toEqual([{ start: 0, visionTokens: 16, grid: [4, 4], image: 0 }]);
  expect(features.grid).toEqual([4, 4]);
  expect(request).toEqual({ tokens: 3, excluded: [0, 5], question: 'what is in the image?', batchIndex: 0 });
});

it('gives features from before the projector and saliency if the encoder outputs them', async () => {
  const tiny = await buildTinyModel('llava', {
    directory: join(directory, 'exposed'),
    exposeVisionFeatures: true,
  });
  const loaded = await tiny.load();
  const on = { tiny, loaded, inputs: await loaded.inputs(QUESTION, [noiseImage(tiny.imageSize)]) };
  attach(on);
  const [[features]] = (await seen(on)) as [[SelectFeatures, SelectRequest]];
  expect(features.visionFeatures?.dims).toEqual([16, tiny.visionFeatures.size]);
  await handle?.restore();
  await loaded.dispose();
});

it('is called once per image, tile, or prompt, depending on the allocation', async () => {
  const on = await subject('smolvlm');
  const both = await on.loaded.inputs(QUESTION, [
    noiseImage(on.tiny.imageSize),
    noiseImage(on.tiny.imageSize, 2),
  ]);
  attach(on);
  const perImage = await seen(on, {}, both);
  expect(perImage.map(([{ tiles }]) => new Set(tiles.map(({ image }) => image)))).toEqual([
    new Set([0]),
    new Set([1]),
  ]);
  expect(handle?.lastReport?.images.map(({ keptTokens }) => keptTokens)).toEqual([3, 3]);
  const [shared, ...more] = await seen(on, { allocation: 'shared' }, both);
  expect(more).toEqual([]);
  expect(new Set(shared?.[0].tiles.map(({ image }) => image))).toEqual(new Set([0, 1]));
  expect(handle?.lastReport?.images.map(({ keptTokens }) => keptTokens)).toEqual([0, 3]);
  const perTile = await seen(on, { allocation: 'perTile', budget: { tokens: 1 } }, both);
  expect(perTile.every(([{ tiles }]) => tiles.length === 1)).toBe(true);
  expect(perTile.length).toBeGreaterThan(2);
});

it('supports arrays of budgets, ratios, and contexts, and is not called if all tokens fit', async () => {
  const on = await subject('gemma3');
  const n = on.tiny.tokensPerImage;
  const images = [noiseImage(on.tiny.imageSize), noiseImage(on.tiny.imageSize, 2)];
  const both = await on.loaded.inputs(QUESTION, images);
  attach(on);
  const tokens = (calls: [SelectFeatures, SelectRequest][]): number[] =>
    calls.map(([, request]) => request.tokens);
  expect(tokens(await seen(on, { budget: [{ tokens: 2 }, { ratio: 0.5 }] }, both))).toEqual([
    2,
    Math.floor(n / 2),
  ]);
  const text = (handle?.countTokens(on.inputs)[0]?.text ?? 0) as number;
  expect(tokens(await seen(on, { budget: { fitContext: text + n - 1 } }))).toEqual([n - 1]);
  expect(tokens(await seen(on, { budget: { ratio: 1 } }))).toEqual([]);
  expect(handle?.lastReport?.reason).toBe('belowBudget');
  expect(tokens(await seen(on, { budget: { tokens: n - 1 }, exclude: [[1, 2]] }))).toEqual([]);
  expect(handle?.lastReport).toMatchObject({ reason: 'allSelectable', keptTokens: n - 2 });
});

it('works in later turns, from the cache or selecting again', async () => {
  const on = await subject('llava');
  attach(on);
  const first = (await generate(on.loaded.model, {
    ...on.inputs,
    max_new_tokens: COUNT,
    return_dict_in_generate: true,
  })) as { sequences: Tensor; past_key_values: object };
  const prompt = on.inputs.input_ids?.dims[1] as number;
  const said = Array.from(first.sequences.data as BigInt64Array).slice(prompt);
  const second = extended(on.inputs, [...said, 20n]);
  await generate(on.loaded.model, { ...second, past_key_values: first.past_key_values, max_new_tokens: 1 });
  expect(handle?.lastReport?.reason).toBe('cached');
  expect(await seen(on, { followUps: 'reselect' })).toHaveLength(1);
});

it('can be replaced by coverage for one call, and vice versa', async () => {
  const on = await subject('llava');
  attach(on, { backend: createReferenceBackend() });
  await run(on, { coverage: [visionCoverage()] });
  expect(handle?.lastReport?.images[0]?.selections).toHaveLength(1);
  await handle?.restore();
  attach(on, { select: undefined, coverage: [visionCoverage()] });
  await run(on, { select: last });
  expect(handle?.lastReport?.images[0]?.indices).toEqual([13, 14, 15]);
});

it.each<[string, unknown]>([
  ['too few', [0, 1]],
  ['too many', [0, 1, 2, 3]],
  ['one of them twice', [0, 1, 1]],
  ['one that is out of range', [0, 1, 16]],
  ['a negative one', [0, 1, -1]],
  ['a fraction', [0, 1, 1.5]],
  ['NaN', [0, 1, Number.NaN]],
  ['an excluded one', [0, 1, 5]],
  ['text', ['0', '1', '2']],
  ['nothing', undefined],
  ['an object', { length: 3 }],
])('refuses %s', async (_, result) => {
  const on = await subject('llava');
  attach(on);
  const call = run(on, { select: (() => result) as unknown as Select, exclude: [[5]] });
  await expect(call).rejects.toBeInstanceOf(InvalidSelectionError);
  await expect(call).rejects.toMatchObject({ code: 'MMTOK_INVALID_SELECTION' });
});

it('accepts typed arrays, and passes errors of the function through', async () => {
  const on = await subject('llava');
  attach(on);
  await run(on, { select: () => Uint32Array.of(7, 2, 9) });
  expect(handle?.lastReport?.images[0]).toMatchObject({ indices: [2, 7, 9], order: [7, 2, 9] });
  const failure = new Error('mine');
  const failing: Select = () => Promise.reject(failure);
  await expect(run(on, { select: failing })).rejects.toBe(failure);
});

it('rejects options that need an objective', async () => {
  const on = await subject('llava');
  expect(() => attach(on, { budget: { coverage: 0.9 } })).toThrow(/budget/);
  expect(() => attach(on, { minTokens: 1 })).toThrow(/minTokens/);
  expect(() => attach(on, { coverage: [visionCoverage()] })).toThrow(/select.*coverage/);
  expect(() => attach(on, { select: 'best' as unknown as Select })).toThrow(/select/);
});
