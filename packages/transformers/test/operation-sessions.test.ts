// Sessions in which transformers.js resizes and slices images: opened by loadVlm, with the options of the model's sessions.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { loadVlm } from '../src/index.js';
import { buildTinyModel } from './tiny-models/index.js';

interface SessionClass {
  create(source: unknown, options: Readonly<Record<string, unknown>>): Promise<unknown>;
}

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'operations-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('are opened once, with threads that stop spinning', async () => {
  const tiny = await buildTinyModel('llava', { directory });
  const plain = await tiny.load();
  const [session] = Object.values(plain.model.sessions);
  const Session = session?.constructor as unknown as SessionClass;
  await plain.dispose();
  const create = vi.spyOn(Session, 'create');
  const spied = Session.create;

  const models = await Promise.all([loadVlm(tiny.path), loadVlm(tiny.path)]);
  for (const [, options] of create.mock.calls)
    expect(options).toMatchObject({ extra: { session: { force_spinning_stop: '1' } } });
  expect(Session.create).toBe(spied);

  const opened = create.mock.calls.length;
  const [{ library }] = models;
  const { Tensor, interpolate_4d, slice } = library;
  const pixels = new Tensor('float32', Float32Array.of(1, 2, 3, 4), [1, 1, 2, 2]);
  expect((await interpolate_4d(pixels, { size: [1, 1] })).dims).toEqual([1, 1, 1, 1]);
  expect(Array.from((await slice(pixels, [1, 0], [2, 2], [2, 3])).data)).toEqual([3, 4]);
  expect(create).toHaveBeenCalledTimes(opened);
  for (const { model } of models) await model.dispose();
});
