// A custom task that uses only public entry points: runs the example of defineTask.

import { imageCell, memoryTable, readJsonLines } from '@mmtok/eval/data';
import { exactMatch } from '@mmtok/eval/metrics';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { defineTask } from '../src/tasks/index.js';
import { collect, imageBytes, jsonLines, writeFolder } from './data-writers.js';

it('is a declaration', async () => {
  const colors = defineTask({
    name: 'colors',
    title: 'Colors',
    source: { url: 'https://example.org/colors', files: 'colors.jsonl' },
    maxNewTokens: 16,
    row: z.object({ id: z.string(), question: z.string(), answer: z.string(), picture: imageCell }),
    async original(folder) {
      const file = folder.find(/colors\.jsonl$/)[0];
      if (file === undefined) return null;
      const rows = (await readJsonLines(file)).map(({ where, values }) => ({
        where,
        values: { ...values, picture: folder.image(String(values.picture), where) },
      }));
      return memoryTable(rows);
    },
    sample: ({ id, question, answer, picture: image }) => ({ id, question, target: answer, images: [image] }),
    prompt: ({ question }) => question,
    score: (answer, { target }) => ({ value: Number(exactMatch(answer, target)) }),
  });
  const line = { id: '1', question: 'Which color?', answer: 'red', picture: 'a.png' };
  const from = writeFolder({ 'colors.jsonl': jsonLines([line]), 'a.png': imageBytes() });
  const [sample] = await collect(colors.load({ from }));
  expect(new Uint8Array(await sample!.images[0]!.read())).toEqual(imageBytes());
  const score = colors.score(' Red.', sample!);
  expect(score).toEqual({ value: 1 });
  expect(colors.aggregate([{ id: sample!.id, score }])).toEqual({
    count: 1,
    metric: 'accuracy',
    value: 1,
    metrics: { accuracy: 1 },
  });
});
