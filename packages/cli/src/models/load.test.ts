import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createReferenceBackend, visionCoverage } from '@mmtok/core';
import { modelPath, samples } from '@mmtok/tiny-vlm';
import type { TileBudget } from '@mmtok/transformers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { buildTinyModel } from '../../../transformers/test/tiny-models/index.js';
import { fakeIo } from '../../test/fake-io.js';
import { readImage } from '../images/read-image.js';
import { downloadProgress, loadVlm } from './load.js';
import type { Vlm } from './vlm.js';

/** The model disposes its backend, so each has its own. */
const backend = () => createReferenceBackend();

describe('the embedded model', () => {
  let vlm: Vlm;
  beforeAll(async () => {
    vlm = await loadVlm({ model: 'tiny', backend: backend() }, fakeIo());
  });
  afterAll(() => vlm.dispose());

  it('answers with all vision tokens and with a tenth of them', async () => {
    const [{ image, question, answer } = { image: '', question: '', answer: '' }] = await samples();
    const request = { images: [await readImage(image, '/')], question };
    const texts: string[] = [];
    const whole = await vlm.ask({ ...request, budget: 'all' });
    const pruned = await vlm.ask({ ...request, budget: { ratio: 0.1 }, onText: (text) => texts.push(text) });
    expect([whole.text, pruned.text, texts.join('').trim()]).toEqual([answer, answer, answer]);
    expect([whole.keptTokens, pruned.keptTokens, pruned.visionTokens]).toEqual([576, 57, 576]);
    expect([whole.images, await whole.overlay()]).toEqual([[], []]);
    const [{ indices, coverage } = { indices: [], coverage: {} }] = pruned.images;
    expect(indices).toHaveLength(57);
    expect(await pruned.overlay()).toEqual([
      { views: [expect.objectContaining({ rows: 24, columns: 24, kept: indices })] },
    ]);
    expect(coverage).toEqual({ text: expect.any(Number), vision: expect.any(Number) });
    const { prepareMs, encodeMs, selectMs, prefillMs, decodeMs, totalMs } = pruned.timings;
    expect(Math.min(prepareMs, encodeMs, selectMs, prefillMs, decodeMs)).toBeGreaterThan(0);
    expect(totalMs).toBeGreaterThan(prepareMs + encodeMs + selectMs + prefillMs + decodeMs - 1);
  });

  it('takes several images, each with its own budget', async () => {
    const paths = [...new Set((await samples()).map(({ image }) => image))];
    const images = await Promise.all(paths.slice(0, 2).map((image) => readImage(image, '/')));
    const { visionTokens, keptTokens, overlay } = await vlm.ask({
      images,
      question: 'What shape is the cyan object?',
      budget: { tokens: 20 },
    });
    expect([visionTokens, keptTokens]).toEqual([1152, 40]);
    expect((await overlay()).map(({ views }) => views[0]?.image)).toEqual(images);
  });

  it('has a smaller version with a quarter of the tokens', async () => {
    const small = await loadVlm({ model: 'tiny-small', backend: backend() }, fakeIo());
    const [{ image, question } = { image: '', question: '' }] = await samples();
    const images = [await readImage(image, '/')];
    const { text, visionTokens } = await small.ask({ images, question, budget: { tokens: 16 } });
    expect(text).not.toBe('');
    expect(visionTokens).toBe(64);
    await small.dispose();
  });

  it('has a version that splits images into tiles, of which few need to be encoded', async () => {
    const load = (tiles?: TileBudget) =>
      loadVlm({ model: 'tiny-tiled', backend: backend(), tiles }, fakeIo());
    const [{ image, question, answer } = { image: '', question: '', answer: '' }] = await samples({
      size: 'tiled',
    });
    const request = { images: [await readImage(image, '/')], question };
    const whole = await load();
    expect(await whole.ask({ ...request, budget: 'all' })).toMatchObject({ text: answer, visionTokens: 272 });
    await whole.dispose();
    const few = await load({ max: 5 });
    const { visionTokens, keptTokens } = await few.ask({ ...request, budget: { tokens: 200 } });
    // An overview and four tiles of 16 tokens each.
    expect([visionTokens, keptTokens]).toEqual([272, 80]);
    await few.dispose();
    await expect(
      loadVlm({ model: 'tiny', backend: backend(), tiles: { max: 5 } }, fakeIo()),
    ).rejects.toMatchObject({
      code: 'MMTOK_USAGE',
      message: expect.stringContaining("--tiles: the model 'tiny'"),
    });
  });

  it('keeps everything if the budget allows it, and says so', async () => {
    const [{ image, question } = { image: '', question: '' }] = await samples();
    const images = [await readImage(image, '/')];
    const { keptTokens, notes } = await vlm.ask({ images, question, budget: { tokens: 1000 } });
    expect(keptTokens).toBe(576);
    expect(notes.join()).toMatch(/all/);
  });
});

describe('loadVlm', () => {
  it('takes another objective', async () => {
    const coverage = [visionCoverage({ focus: 4 })];
    const vlm = await loadVlm({ model: 'tiny', backend: backend(), coverage }, fakeIo());
    const [{ image, question, answer } = { image: '', question: '', answer: '' }] = await samples();
    const { text, images } = await vlm.ask({
      ...{ images: [await readImage(image, '/')], question },
      budget: { tokens: 16 },
    });
    expect(text).toBe(answer);
    expect(images[0]?.coverage).toEqual({ vision: expect.any(Number) });
    await vlm.dispose();
  });

  it('takes a folder and a custom prompt template', async () => {
    const vlm = await loadVlm(
      { model: modelPath, backend: backend(), promptTemplate: '<image> question {question} answer' },
      fakeIo(),
    );
    const [{ image, question, answer } = { image: '', question: '', answer: '' }] = await samples();
    const { text } = await vlm.ask({ images: [await readImage(image, '/')], question, budget: 'all' });
    expect(text).toBe(answer);
    await vlm.dispose();
  });

  it('requires <image> in a prompt template', async () => {
    const vlm = await loadVlm(
      { model: 'tiny', backend: backend(), promptTemplate: 'question {question} answer' },
      fakeIo(),
    );
    const [{ image, question } = { image: '', question: '' }] = await samples();
    const images = [await readImage(image, '/')];
    for (const budget of ['all', { ratio: 0.1 }] as const) {
      await expect(vlm.ask({ images, question, budget })).rejects.toMatchObject({
        code: 'MMTOK_INPUT',
      });
    }
    await vlm.dispose();
  });

  it('rejects unknown names', async () => {
    await expect(loadVlm({ model: 'enormous', backend: backend() }, fakeIo())).rejects.toMatchObject({
      code: 'MMTOK_USAGE',
      message: expect.stringContaining(
        "Unknown model 'enormous': expected tiny, tiny-small, tiny-tiled, an existing folder, or a hub id",
      ),
    });
  });

  it.each(['moondream1', 'llava_onevision'] as const)(
    'asks %s, for which transformers.js has no processor that joins text and images',
    async (family) => {
      const directory = temporary();
      const { path, tokensPerImage } = await buildTinyModel(family, { directory });
      const vlm = await loadVlm(
        { model: path, backend: backend(), promptTemplate: '<image> {question}' },
        fakeIo(),
      );
      const [{ image, question } = { image: '', question: '' }] = await samples();
      const images = [await readImage(image, '/')];
      const { visionTokens, keptTokens, overlay } = await vlm.ask({
        images,
        question,
        budget: { tokens: 2 },
        maxNewTokens: 2,
      });
      expect([visionTokens, keptTokens]).toEqual([tokensPerImage, 2]);
      expect((await overlay())[0]?.views.flatMap(({ kept }) => kept)).toHaveLength(2);
      await vlm.dispose();
    },
  );

  it('says which files a folder lacks', async () => {
    const folder = temporary();
    await expect(loadVlm({ model: folder, backend: backend() }, fakeIo())).rejects.toMatchObject({
      code: 'MMTOK_MODEL_LOAD',
      message: expect.stringMatching(/config\.json.*onnx\/\*\.onnx/),
    });
    await writeFile(join(folder, 'config.json'), '{"model_type": "llava"}');
    await expect(loadVlm({ model: folder, backend: backend() }, fakeIo())).rejects.toThrow(
      'the folder lacks tokenizer.json',
    );
  });

  it('downloads from the hub and shows progress on a terminal', async () => {
    const { env } = await import('@huggingface/transformers');
    const hub = 'https://huggingface.co/acme/tiny/resolve/main/';
    const fetching = vi.spyOn(env, 'fetch').mockImplementation(async (url) => {
      const file = await readFile(join(modelPath, String(url).replace(hub, ''))).catch(() => undefined);
      if (file === undefined) return new Response('', { status: 404 });
      // Slower than a status line redraws, so that some progress is shown however fast the disk is.
      await setTimeout(60);
      return new Response(new Uint8Array(file), { headers: { 'content-length': String(file.length) } });
    });
    const cache = temporary();
    const io = { ...fakeIo({ terminal: 80 }), env: { XDG_CACHE_HOME: cache } };
    const vlm = await loadVlm({ model: 'acme/tiny', backend: backend() }, io);
    const [{ image, question, answer } = { image: '', question: '', answer: '' }] = await samples();
    const { text } = await vlm.ask({
      images: [await readImage(image, '/')],
      question,
      budget: { ratio: 0.1 },
    });
    expect(text).toBe(answer);
    expect(io.err()).toMatch(/Loading acme\/tiny {2}[█░]{24} {2}[\d.]+ [kM]B of [\d.]+ [kM]B/);
    expect(await readdir(join(cache, 'mmtok', 'models', 'acme', 'tiny'))).toContain('onnx');
    await vlm.dispose();
    fetching.mockRestore();
  });

  it('distinguishes a missing network from a missing model', async () => {
    const { env } = await import('@huggingface/transformers');
    const fetching = vi.spyOn(env, 'fetch').mockRejectedValue(new TypeError('fetch failed'));
    const io = { ...fakeIo(), env: { XDG_CACHE_HOME: temporary() } };
    await expect(loadVlm({ model: 'nobody/nothing', backend: backend() }, io)).rejects.toMatchObject({
      code: 'MMTOK_HUB_UNREACHABLE',
      message: expect.stringContaining("'nobody/nothing' is not on this machine"),
    });
    fetching.mockImplementation(async () => new Response('', { status: 404 }));
    await expect(loadVlm({ model: 'nobody/else', backend: backend() }, io)).rejects.toMatchObject({
      code: 'MMTOK_MODEL_LOAD',
      message: expect.stringContaining("Cannot load a model from 'nobody/else'"),
    });
    fetching.mockRestore();
  });

  it('says which weights are missing', async () => {
    await expect(loadVlm({ model: 'tiny', backend: backend(), dtype: 'q4' }, fakeIo())).rejects.toMatchObject(
      {
        code: 'MMTOK_MODEL_LOAD',
        message: expect.stringContaining('_q4.onnx'),
      },
    );
  });
});

it('downloadProgress sums all files', () => {
  const shown: string[] = [];
  const progress = downloadProgress('a/b', { show: (text) => shown.push(text), clear: () => undefined });
  const file = (name: string, loaded: number, total: number) =>
    progress({ status: 'progress', name: 'a/b', file: name, progress: 0, loaded, total });
  progress({ status: 'initiate', name: 'a/b', file: 'x' });
  file('x', 1_000_000, 4_000_000);
  file('y', 3_000_000, 4_000_000);
  file('z', 0, 0);
  expect(shown).toEqual([
    'Loading a/b  ██████░░░░░░░░░░░░░░░░░░  1.0 MB of 4.0 MB',
    'Loading a/b  ████████████░░░░░░░░░░░░  4.0 MB of 8.0 MB',
  ]);
});
