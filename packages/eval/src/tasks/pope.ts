// POPE: is this object in the picture? Three samplings of objects (random, popular, adversarial) that are not.
// Sources: https://arxiv.org/abs/2305.10355, https://github.com/AoiDragon/POPE, lmms-eval `pope`.

import * as z from 'zod';
import { idCell, textCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readJsonLines, type TextRow } from '../data/text-files.js';
import { groupBy } from '../metrics/mean.js';
import { popeAnswer, popeMetrics } from '../metrics/pope.js';
import { strip } from '../metrics/python-text.js';
import { defineTask } from './define-task.js';
import { SINGLE_WORD } from './prompts.js';
import { fact, prefixed, summarize } from './summary.js';
import type { ScoredAnswer, Task } from './task.js';

const FILE = /coco_pope_(adversarial|popular|random)\.json$/;

const metrics = (answers: readonly ScoredAnswer[]): Record<string, number> => ({
  ...popeMetrics(
    answers.map((answer) => ({ predicted: String(answer.score.parsed), answer: fact(answer, 'answer') })),
  ),
});

/** The target is `'yes'` or `'no'`. */
export const pope: Task<string> = defineTask({
  name: 'pope',
  title: 'POPE',
  source: {
    dataset: 'lmms-lab/POPE',
    config: 'default',
    split: 'test',
    url: 'https://huggingface.co/datasets/lmms-lab/POPE',
    files: 'coco_pope_{adversarial,popular,random}.json and the pictures of COCO val2014',
  },
  maxNewTokens: 128,
  paper: { column: 'POPE', factor: 100 },
  row: z.object({
    question_id: idCell,
    question: textCell,
    answer: textCell,
    category: textCell,
    image: imageCell,
  }),
  async original(folder) {
    const files = folder.find(FILE);
    const rows: TextRow[] = [];
    for (const file of files) {
      const category = FILE.exec(file)![1]!;
      for (const { where, values } of await readJsonLines(file)) {
        const image = folder.image(String(values.image), where);
        rows.push({
          where,
          values: { ...values, question: values.text, answer: values.label, category, image },
        });
      }
    }
    return files.length === 0 ? null : memoryTable(rows);
  },
  sample: ({ question_id, question, answer, category, image }) => ({
    id: `${category}/${question_id}`,
    images: [image],
    question: strip(question),
    kind: category,
    // Stripped, as the harness does.
    target: strip(answer.toLowerCase()),
  }),
  prompt: ({ question }) => question + SINGLE_WORD,
  truth: ({ target }) => target,
  score(text, { target }) {
    const parsed = popeAnswer(text);
    return { value: Number(parsed === target), parsed, facts: { answer: target } };
  },
  aggregate(answers) {
    const kinds = [...groupBy(answers, (answer) => answer.kind ?? '')].map(([kind, group]) =>
      prefixed('f1', { [kind]: metrics(group).f1! }),
    );
    return summarize(answers.length, Object.assign({}, metrics(answers), ...kinds));
  },
});
