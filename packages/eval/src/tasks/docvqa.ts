// DocVQA, validation: questions about scanned documents.
// Sources: https://arxiv.org/abs/2007.00398, https://www.docvqa.org/, lmms-eval `docvqa_val`.

import * as z from 'zod';
import { idCell, textCell, textsCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readJsonRows } from '../data/text-files.js';
import { anls } from '../metrics/anls.js';
import { defineTask } from './define-task.js';
import { mostCommon } from './most-common.js';
import { SINGLE_WORD } from './prompts.js';
import { summarizeMean } from './summary.js';
import type { Task } from './task.js';

/** The target is the accepted answers. */
export const docVqa: Task<readonly string[]> = defineTask({
  name: 'docvqa',
  title: 'DocVQA (validation)',
  source: {
    dataset: 'lmms-lab/DocVQA',
    config: 'DocVQA',
    split: 'validation',
    url: 'https://huggingface.co/datasets/lmms-lab/DocVQA',
    files: 'val_v1.0_withQT.json (or val_v1.0.json) and documents/',
  },
  maxNewTokens: 32,
  row: z.object({
    questionId: idCell,
    question: textCell,
    question_types: textsCell.nullish(),
    answers: textsCell,
    image: imageCell,
  }),
  async original(folder) {
    const file = folder.find(/val_v1\.0(?:_withQT)?\.json$/)[0];
    if (file === undefined) return null;
    return memoryTable(
      (await readJsonRows(file, 'data')).map(({ where, values }) => ({
        where,
        values: { ...values, image: folder.image(String(values.image), where) },
      })),
    );
  },
  sample: ({ questionId, question, question_types, answers, image }) => ({
    id: questionId,
    images: [image],
    question,
    ...(question_types?.[0] !== undefined && { kind: question_types[0] }),
    target: answers,
  }),
  prompt: ({ question }) => question + SINGLE_WORD,
  truth: ({ target }) => mostCommon(target),
  score: (text, { target }) => ({ value: anls(text, target), parsed: text }),
  aggregate: (answers) => summarizeMean('anls', answers),
});
