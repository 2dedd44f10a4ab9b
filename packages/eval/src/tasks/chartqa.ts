// ChartQA, test: questions about charts, half written by people and half by a model.
// Sources: https://aclanthology.org/2022.findings-acl.177/, https://github.com/vis-nlp/ChartQA, lmms-eval `chartqa`.

import * as z from 'zod';
import { textCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readJsonRows, type TextRow } from '../data/text-files.js';
import { relaxedMatch } from '../metrics/relaxed-accuracy.js';
import { defineTask } from './define-task.js';
import { summarizeMean } from './summary.js';
import type { Task } from './task.js';

const FILE = /test_(human|augmented)\.json$/;

/** The target is the gold answer. */
export const chartQa: Task<string> = defineTask({
  name: 'chartqa',
  title: 'ChartQA',
  source: {
    dataset: 'lmms-lab/ChartQA',
    config: 'default',
    split: 'test',
    url: 'https://huggingface.co/datasets/lmms-lab/ChartQA',
    files: 'test_human.json, test_augmented.json and png/',
  },
  maxNewTokens: 16,
  row: z.object({ type: textCell, question: textCell, answer: textCell, image: imageCell }),
  async original(folder) {
    const files = folder.find(FILE);
    const rows: TextRow[] = [];
    for (const file of files) {
      const type = `${FILE.exec(file)![1]!}_test`;
      for (const { where, values } of await readJsonRows(file)) {
        const image = folder.image(String(values.imgname), where);
        rows.push({ where, values: { type, question: values.query, answer: values.label, image } });
      }
    }
    return files.length === 0 ? null : memoryTable(rows);
  },
  sample: ({ type, question, answer, image }, { index }) => ({
    id: String(index),
    images: [image],
    question,
    kind: type.replace('_test', ''),
    target: answer,
  }),
  prompt: ({ question }) => `${question}\nAnswer the question with a single word.`,
  truth: ({ target }) => target,
  score: (text, { target }) => ({ value: Number(relaxedMatch(text, target)), parsed: text }),
  aggregate: (answers) => summarizeMean('relaxed', answers),
});
