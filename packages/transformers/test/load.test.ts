// Loading from folders: the right class, offline, tapped; and errors for folders that are not models.

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createReferenceBackend, InvalidOptionsError } from '@mmtok/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadVlm, ModelLoadError, prune, UnsupportedModelError } from '../src/index.js';
import { generate } from './support/reference.js';
import { buildTinyModel, type FamilyName, families, noiseImage } from './tiny-models/index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'loaded-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('loadVlm', () => {
  it.each(Object.keys(families) as FamilyName[])(
    'loads %s with its class, tokenizer and tap',
    async (name) => {
      const tiny = await buildTinyModel(name, { directory });
      const { model, processor, tokenizer, modelType, tap } = await loadVlm(tiny.path);
      expect(model).toBeInstanceOf(tiny.modelClass);
      expect(modelType).toBe(name);
      expect(processor.tokenizer).toBeDefined();
      expect(tokenizer.decode([40])).toBeTypeOf('string');
      expect(tap.problem).toBeUndefined();
      expect(tap.tensor !== undefined).toBe(name !== 'multi_modality');
      prune(model, { processor, backend: createReferenceBackend(), budget: { tokens: 2 } }).restore();
      await model.dispose();
    },
  );

  it('returns a model whose features from before the projector are used', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const loaded = await tiny.load();
    const inputs = await loaded.inputs('is the cat red ?', [noiseImage(tiny.imageSize)]);
    await loaded.dispose();
    for (const [tap, source] of [
      [true, 'preProjector'],
      [{ tensor: tiny.visionFeatures.tensor }, 'preProjector'],
      [false, 'projected'],
    ] as const) {
      const { model, processor } = await loadVlm(relative(process.cwd(), tiny.path), { tap });
      const handle = prune(model, {
        processor,
        backend: createReferenceBackend(),
        budget: { tokens: 4 },
        minVisionTokens: 1,
      });
      await generate(model, { ...inputs, max_new_tokens: 1 });
      expect(handle.lastReport?.visionFeatureSource).toBe(source);
      await model.dispose();
    }
  });

  it('loads the model even if the tap fails, and says why', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const { model, tap } = await loadVlm(tiny.path, { tap: { tensor: 'nonsense' } });
    expect(tap.tensor).toBeUndefined();
    expect(tap.problem).toMatch(/nonsense/);
    await model.dispose();
  });

  it('does not use features whose rows are not vision tokens, and says so', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const tensor = '/vision_tower/embeddings/patch_embedding/Conv_output_0';
    const { model, processor, tap } = await loadVlm(tiny.path, { tap: { tensor } });
    expect(tap).toEqual({ tensor });
    const handle = prune(model, {
      processor,
      backend: createReferenceBackend(),
      budget: { tokens: 4 },
      minVisionTokens: 1,
    });
    const loaded = await tiny.load();
    const inputs = await loaded.inputs('is the cat red ?', [noiseImage(tiny.imageSize)]);
    await generate(model, { ...inputs, max_new_tokens: 1 });
    expect(handle.lastReport).toMatchObject({ visionFeatureSource: 'projected', keptTokens: 4 });
    expect(handle.lastReport?.notes.join()).toContain(tensor);
    await loaded.dispose();
    await model.dispose();
  });

  it('stops the threads of every session when its run ends, unless the caller sets `extra`', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const { model, dispose } = await tiny.load();
    const create = vi.spyOn(model.sessions.vision_encoder.constructor, 'create');
    const stop = { session: { force_spinning_stop: '1' } };
    for (const [sessionOptions, expected] of [
      [undefined, stop],
      [{ interOpNumThreads: 1 }, stop],
      [{ extra: { session: {} } }, { session: {} }],
    ] as const) {
      create.mockClear();
      const loaded = await loadVlm(tiny.path, sessionOptions && { sessionOptions });
      await loaded.model.dispose();
      // The last one is the encoder with features from before the projector.
      expect(create.mock.calls.length).toBe(Object.keys(model.sessions).length + 1);
      for (const [, options] of create.mock.calls) expect(options).toMatchObject({ extra: expected });
    }
    create.mockRestore();
    await dispose();
  });

  it('loads no model if the tokenizer fails', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const broken = join(directory, 'broken');
    await cp(tiny.path, broken, { recursive: true });
    await writeFile(join(broken, 'tokenizer.json'), '{');
    const { model, dispose } = await tiny.load();
    const create = vi.spyOn(model.sessions.vision_encoder.constructor, 'create');
    await expect(loadVlm(broken)).rejects.toBeInstanceOf(ModelLoadError);
    expect(create).not.toHaveBeenCalled();
    create.mockRestore();
    await dispose();
  });

  it('reports its progress', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const statuses = new Set<string>();
    const { model } = await loadVlm(tiny.path, { onProgress: ({ status }) => statuses.add(status) });
    expect(statuses).toContain('done');
    await model.dispose();
  });

  it('rejects invalid sources', async () => {
    const tiny = await buildTinyModel('llava', { directory });
    const empty = await mkdtemp(join(directory, 'empty-'));
    await expect(loadVlm(empty)).rejects.toBeInstanceOf(ModelLoadError);
    await expect(loadVlm(empty)).rejects.toThrow(/config\.json, tokenizer\.json, .*onnx\/\*\.onnx/);
    await expect(loadVlm(join(directory, 'nowhere'))).rejects.toThrow(/nowhere/);
    await expect(loadVlm(join(tiny.path, 'config.json'))).rejects.toBeInstanceOf(ModelLoadError);
    await expect(loadVlm('')).rejects.toBeInstanceOf(InvalidOptionsError);
    await expect(loadVlm(tiny.path, { dtypes: 'q4' } as never)).rejects.toBeInstanceOf(InvalidOptionsError);
    await expect(loadVlm(tiny.path, { dtype: 'q4' })).rejects.toBeInstanceOf(ModelLoadError);
    await expect(loadVlm('nobody/nothing', { offline: true })).rejects.toBeInstanceOf(ModelLoadError);

    const other = join(directory, 'other');
    await cp(tiny.path, other, { recursive: true });
    await writeFile(join(other, 'config.json'), JSON.stringify({ model_type: 'bert' }));
    await expect(loadVlm(other)).rejects.toBeInstanceOf(UnsupportedModelError);
    await writeFile(
      join(other, 'config.json'),
      JSON.stringify({ model_type: 'ultravox', text_config: { model_type: 'llama' } }),
    );
    await expect(loadVlm(other)).rejects.toBeInstanceOf(UnsupportedModelError);
  });
});
