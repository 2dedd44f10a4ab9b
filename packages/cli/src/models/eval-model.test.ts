import { createReferenceBackend } from '@mmtok/core';
import {
  defineMethod,
  type GivenFeatures,
  mmtok,
  mmtokIvc,
  mmtokOracle,
  random,
  resize,
  runEvaluation,
  scope,
  shapesTask,
  signsTask,
  withAgent,
} from '@mmtok/eval';
import { imageFile } from '@mmtok/eval/data';
import { heldOut, modelPath } from '@mmtok/tiny-vlm';
import type { TileBudget } from '@mmtok/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { buildTinyModel } from '../../../transformers/test/tiny-models/index.js';
import { fakeIo } from '../../test/fake-io.js';
import { EvalVlm, evalAgent, evalOracle } from './eval-model.js';
import { loadAgent, loadLibraryModel, loadVlm } from './load.js';

let model: EvalVlm;

beforeAll(async () => {
  model = new EvalVlm(await loadLibraryModel({ model: modelPath }, fakeIo()), { model: 'tiny' });
});
afterAll(() => model.dispose());

describe('a transformers.js model under evaluation', () => {
  it('passes features, text, and grid to methods, and keeps what they choose', async () => {
    const seen: GivenFeatures[] = [];
    const spy = defineMethod({
      name: 'spy',
      source: 'a test',
      select(features, { tokens }) {
        seen.push(features);
        return Array.from({ length: tokens }, (_, i) => 255 - 3 * i);
      },
    });
    const backend = createReferenceBackend();
    const task = shapesTask((await heldOut()).slice(0, 2));
    const { records } = await runEvaluation({
      task,
      model,
      backend,
      methods: [spy],
      budgets: ['5'],
      out: temporary(),
    });
    const [input] = seen as [GivenFeatures];
    expect(input.vision.dims).toEqual([576, 128]);
    expect(input.visionFeatures.dims).toEqual([576, 128]);
    expect(input.visionFeatures.data).not.toEqual(input.vision.data);
    expect(input.text?.dims[1]).toBe(128);
    expect(input).toMatchObject({ grid: [24, 24], tiles: [{ start: 0, visionTokens: 576 }] });
    const pruned = records.filter(({ method }) => method === 'spy');
    expect(pruned[0]).toMatchObject({
      indices: [243, 246, 249, 252, 255],
      grid: [24, 24],
      visionTokens: 576,
      keptTokens: 5,
    });
    // Both questions are about one image, which was encoded for the first answer.
    expect(records.map(({ encodeMs }) => encodeMs > 0)).toEqual([true, false, false, false]);
    expect(records.every(({ prefillMs }) => prefillMs > 0)).toBe(true);
  });

  it('counts the tokens of an image in advance, and rejects prompts with placeholders', async () => {
    const [sample] = await heldOut();
    const images = [imageFile(sample!.image)];
    expect(await model.countTokens({ images, prompt: 'What is it?' })).toEqual([576]);
    await expect(
      model.answer({ images, prompt: 'What does <image> stand for?', maxNewTokens: 1 }),
    ).rejects.toMatchObject({
      code: 'MMTOK_BROKEN_QUESTION',
      message: expect.stringContaining('What does <image> stand for?'),
    });
  });

  it('passes positions if they are preserved', async () => {
    expect(model.gives).toContain('positions');
    const seen: GivenFeatures[] = [];
    const spy = (name: string, needs: readonly 'positions'[]) =>
      defineMethod({
        name,
        source: 'a test',
        needs,
        select(features, { tokens }) {
          seen.push(features);
          return Array.from({ length: tokens }, (_, i) => i);
        },
      });
    await runEvaluation({
      task: shapesTask((await heldOut()).slice(0, 1)),
      model,
      backend: createReferenceBackend(),
      methods: [spy('plain', []), spy('placed', ['positions']), mmtokIvc],
      budgets: ['16'],
      out: temporary(),
    });
    const [plain, placed] = seen;
    expect(plain?.positions).toBeUndefined();
    const [places] = (placed as Required<GivenFeatures>).positions.ids as [number[]];
    expect(places).toEqual(Array.from({ length: 576 }, (_, i) => (places[0] as number) + i));
    // head_dim 32 and theta 10,000 in the model's configuration.
    // Half of the 32 dimensions of a head are rotated.
    expect(placed?.positions?.frequencies).toHaveLength(8);
    expect(placed?.positions?.frequencies[4]).toBeCloseTo(0.01);
  });

  it('prunes as @mmtok/transformers does', async () => {
    const { records } = await runEvaluation({
      task: shapesTask((await heldOut()).slice(0, 5)),
      model,
      backend: createReferenceBackend(),
      methods: [mmtok],
      budgets: ['26'],
      out: temporary(),
    });
    const vlm = await loadVlm({ model: modelPath, backend: createReferenceBackend() }, fakeIo());
    const { readImage } = await import('../images/read-image.js');
    for (const record of records.filter(({ method }) => method === 'mmtok')) {
      const images = [await readImage(record.image, '/')];
      const answer = await vlm.ask({ images, question: record.question, budget: { tokens: 26 } });
      expect(answer.text).toBe(record.answer);
      expect(answer.images[0]?.indices).toEqual(record.indices);
    }
    await vlm.dispose();
  });

  it('adds the words of an agent as @mmtok/transformers does', async () => {
    const agent = await loadAgent({ model: 'tiny' }, fakeIo());
    const texts: (number | undefined)[] = [];
    const spy = defineMethod({
      name: 'spy',
      source: 'a test',
      select({ text }, { tokens }) {
        texts.push(text?.dims[0]);
        return Array.from({ length: tokens }, (_, i) => i);
      },
    });
    const questions = (await heldOut()).filter(({ kind }) => kind === 'color').slice(0, 3);
    const { records } = await runEvaluation({
      task: shapesTask(questions),
      model,
      backend: createReferenceBackend(),
      methods: [spy, withAgent(spy), mmtokOracle],
      agents: { agent: evalAgent('tiny', agent), oracle: evalOracle },
      budgets: ['8'],
      out: temporary(),
    });
    await agent.dispose();
    for (let at = 0; at < texts.length; at += 2) expect(texts[at + 1]).toBe((texts[at] as number) + 1);
    for (const record of records.filter(({ method }) => method === 'spy-agent')) {
      expect(record.agent?.added).toEqual([record.agent?.answer]);
      expect(record.agentMs).toBeGreaterThan(0);
    }
    const { agentFrom } = await import('@mmtok/agent');
    const { readImage } = await import('../images/read-image.js');
    let target: string | undefined;
    const oracle = agentFrom(() => target as string);
    const vlm = await loadVlm(
      { model: modelPath, backend: createReferenceBackend(), agent: oracle },
      fakeIo(),
    );
    for (const record of records.filter(({ method }) => method === 'mmtok-oracle')) {
      target = record.target as string;
      const images = [await readImage(record.image, '/')];
      const { images: kept } = await vlm.ask({
        images,
        question: record.question,
        budget: { tokens: 8 },
      });
      expect(kept[0]?.indices).toEqual(record.indices);
    }
    await vlm.dispose();
  });

  it('resizes images if the processor supports it', async () => {
    const { path } = await buildTinyModel('qwen2_5_vl', { directory: temporary() });
    const native = new EvalVlm(await loadLibraryModel({ model: path }, fakeIo()), { model: 'random' });
    expect(native.gives).toContain('resolution');
    expect(model.gives).not.toContain('resolution');
    const { records } = await runEvaluation({
      task: shapesTask((await heldOut()).slice(0, 2)),
      model: native,
      backend: createReferenceBackend(),
      methods: [resize, mmtok],
      budgets: ['4'],
      out: temporary(),
    });
    const kept = (name: string) =>
      records.filter(({ method }) => method === name).map((one) => one.keptTokens);
    expect(kept('resize')).toEqual([4, 4]);
    expect(kept('mmtok')).toEqual([4, 4]);
    expect(records.map(({ visionTokens }) => visionTokens)).toEqual(new Array(6).fill(kept('all')[0]));
    await native.dispose();
  });

  it('evaluates the tiled model, with all of its tiles or a few', async () => {
    const load = async (tiles?: TileBudget) =>
      new EvalVlm(await loadLibraryModel({ model: 'tiny-tiled' }, fakeIo()), { model: 'tiny-tiled', tiles });
    const request = {
      task: signsTask(
        (await heldOut({ size: 'tiled' })).filter(({ kind }) => kind === 'reading').slice(0, 2),
      ),
      backend: createReferenceBackend(),
      methods: [mmtok, random, resize],
      budgets: ['100', '8'],
    };
    const run = async (tiled: EvalVlm) => {
      const notes: string[] = [];
      const { records } = await runEvaluation({
        ...request,
        model: tiled,
        out: temporary(),
        onNote: (note) => notes.push(note),
      });
      await tiled.dispose();
      expect(notes).toEqual([expect.stringContaining('resize is left out at 8')]);
      return records;
    };
    const kept = (records: Awaited<ReturnType<typeof run>>, method: string) =>
      records.filter((one) => one.method === method).map(({ keptTokens }) => keptTokens);
    const whole = await run(await load());
    expect(kept(whole, 'all')).toEqual([272, 272]);
    expect(kept(whole, 'mmtok')).toEqual([100, 8, 100, 8]);
    expect(whole.filter(({ method }) => method === 'all').map(({ score }) => score.value)).toEqual([1, 1]);
    const few = await load({ max: 5 });
    expect(few.options).toEqual({ tiles: '5' });
    const records = await run(few);
    expect(kept(records, 'all')).toEqual([272, 272]);
    // Five tiles have 80 tokens.
    for (const method of ['mmtok', 'random']) expect(kept(records, method)).toEqual([80, 8, 80, 8]);
    expect(kept(records, 'resize')).toEqual(kept(whole, 'resize'));
    const useful = await load({ worth: 0.5, max: 3 });
    expect(useful.options).toEqual({ tiles: 'worth=0.5,max=3' });
    for (const count of kept(await run(useful), 'mmtok')) expect(count).toBeLessThanOrEqual(3 * 16);
  });

  it('passes on the saliency of encoders that have it', async () => {
    const directory = temporary();
    const load = async (exposeSaliency: boolean) => {
      const { path } = await buildTinyModel('llava', { directory, exposeSaliency });
      return new EvalVlm(await loadLibraryModel({ model: path }, fakeIo()), {
        model: 'random',
        dtype: 'fp32',
      });
    };
    const plain = await load(false);
    expect(plain.gives).toEqual(['question']);
    await plain.dispose();
    const salient = await load(true);
    expect(salient.gives).toEqual(['question', 'saliency']);
    expect(salient.options).toEqual({ dtype: 'fp32' });
    const seen: GivenFeatures[] = [];
    const spy = defineMethod({
      name: 'spy',
      source: 'a test',
      needs: ['saliency'],
      select(features, { tokens }) {
        seen.push(features);
        return Array.from({ length: tokens }, (_, i) => i);
      },
    });
    await runEvaluation({
      task: shapesTask((await heldOut()).slice(0, 1)),
      model: salient,
      backend: createReferenceBackend(),
      methods: [spy, scope],
      budgets: ['4'],
      out: temporary(),
    });
    expect(seen[0]?.saliency).toHaveLength(16);
    expect(seen[0]?.saliency?.every((one) => one > 0 && one < 1)).toBe(true);
    await salient.dispose();
  });
});
