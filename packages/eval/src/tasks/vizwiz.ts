// VizWiz-VQA, validation: questions that blind people asked about their own photographs. Many cannot be answered.
// Sources: https://arxiv.org/abs/1802.08218, https://vizwiz.org/tasks-and-datasets/vqa/, lmms-eval `vizwiz_vqa_val`.

import * as z from 'zod';
import { optionalTextCell, textCell, textsCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { parseRow } from '../data/parse-row.js';
import { memoryTable } from '../data/table.js';
import { readJsonRows } from '../data/text-files.js';
import { capitalize } from '../metrics/python-text.js';
import { vqaAccuracy } from '../metrics/vqa-accuracy.js';
import { defineTask } from './define-task.js';
import { mostCommon } from './most-common.js';
import { SINGLE_WORD } from './prompts.js';
import type { Task } from './task.js';

const UNANSWERABLE = "\nWhen the provided information is insufficient, respond with 'Unanswerable'.";
const originalRow = z.object({
  image: z.string(),
  question: z.string(),
  answers: z.array(z.object({ answer: z.string() })),
  answer_type: z.string().optional(),
});

/** The target is the ten answers. */
export const vizWiz: Task<readonly string[]> = defineTask({
  name: 'vizwiz',
  title: 'VizWiz-VQA (validation)',
  source: {
    dataset: 'lmms-lab/VizWiz-VQA',
    config: 'default',
    split: 'val',
    url: 'https://huggingface.co/datasets/lmms-lab/VizWiz-VQA',
    files: 'val.json and val/',
  },
  maxNewTokens: 1024,
  row: z.object({
    question_id: textCell,
    question: textCell,
    answers: textsCell,
    category: optionalTextCell,
    image: imageCell,
  }),
  async original(folder) {
    const file = folder.find(/(?:^|\/)val\.json$/)[0];
    if (file === undefined) return null;
    return memoryTable(
      (await readJsonRows(file)).map((row) => {
        const { image, question, answers, answer_type } = parseRow(originalRow, row);
        return {
          where: row.where,
          values: {
            question_id: image,
            question,
            answers: answers.map(({ answer }) => answer),
            category: answer_type,
            image: folder.image(image, row.where),
          },
        };
      }),
    );
  },
  sample: ({ question_id, question, answers, category, image }) => ({
    id: question_id,
    images: [image],
    question,
    ...(category !== undefined && { kind: category }),
    target: answers,
  }),
  prompt: ({ question }) => capitalize(question) + UNANSWERABLE + SINGLE_WORD,
  truth: ({ target }) => mostCommon(target),
  score(text, { target }) {
    const { value, normalized } = vqaAccuracy(text, target);
    return { value, parsed: normalized };
  },
});
