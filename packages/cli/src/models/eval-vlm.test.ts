import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReferenceBackend } from '@mmtok/core';
import { defineMethod, mmtok, random, runEvaluation, type SelectorInput, shapesTask } from '@mmtok/eval';
import { heldOut, modelPath } from '@mmtok/tiny-vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeIo } from '../../test/fake-io.js';
import { EvalVlm } from './eval-vlm.js';
import { loadLibraryModel, loadVlm } from './load-vlm.js';

let model: EvalVlm;
const out = () => mkdtempSync(join(tmpdir(), 'mmtok-eval-'));

beforeAll(async () => {
  model = new EvalVlm('tiny', await loadLibraryModel({ model: modelPath }, fakeIo()));
});
afterAll(() => model.dispose());

describe('a model of transformers.js under evaluation', () => {
  it('hands features, text and grid to methods, and keeps what they choose', async () => {
    const seen: SelectorInput[] = [];
    const spy = defineMethod({
      name: 'spy',
      source: 'a test',
      select(input, k) {
        seen.push(input);
        return Array.from({ length: k }, (_, i) => 255 - 3 * i);
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
      out: out(),
    });
    const [input] = seen as [SelectorInput];
    expect(input.vision.dims).toEqual([256, 128]);
    expect(input.visionFeatures.dims).toEqual([256, 128]);
    expect(input.visionFeatures.data).not.toEqual(input.vision.data);
    expect(input.text?.dims[1]).toBe(128);
    expect(input).toMatchObject({ grid: [16, 16], tiles: [256] });
    const pruned = records.filter(({ method }) => method === 'spy');
    expect(pruned[0]).toMatchObject({
      kept: [243, 246, 249, 252, 255],
      grid: [16, 16],
      tokensBefore: 256,
      tokensKept: 5,
    });
    // Both questions are about one picture, which was encoded for the very first answer.
    expect(records.map(({ encodeMs }) => encodeMs > 0)).toEqual([true, false, false, false]);
    expect(records.every(({ prefillMs }) => prefillMs > 0)).toBe(true);
  });

  it('prunes as @mmtok/transformers does, and keeps most answers with a tenth of the tokens', async () => {
    const backend = createReferenceBackend();
    const task = shapesTask((await heldOut()).slice(0, 40));
    const { records } = await runEvaluation({
      task,
      model,
      backend,
      methods: [mmtok, random],
      budgets: ['26'],
      out: out(),
    });
    const right = (method: string) =>
      records.filter((record) => record.method === method).reduce((sum, { score }) => sum + score.value, 0);
    expect(right('mmtok')).toBeGreaterThan(0.8 * right('all'));
    expect(right('mmtok')).toBeGreaterThan(right('random'));

    const vlm = await loadVlm({ model: modelPath, backend: createReferenceBackend() }, fakeIo());
    const { readPicture } = await import('../images/read-picture.js');
    for (const record of records.filter(({ method }) => method === 'mmtok').slice(0, 5)) {
      const pictures = [await readPicture(record.image, '/')];
      const answer = await vlm.ask({ pictures, question: record.question, budget: { tokens: 26 } });
      expect(answer.text).toBe(record.answer);
      expect(answer.pictures[0]?.indices).toEqual(record.kept);
    }
    await vlm.dispose();
  });
});
