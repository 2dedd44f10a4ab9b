// SEED-Bench: multiple choice in twelve dimensions, nine on pictures and three on videos (frames). The original files are
// read for pictures only: there the frames would have to be cut from videos first.
// Sources: https://arxiv.org/abs/2307.16125, https://github.com/AILab-CVC/SEED-Bench, lmms-eval `seedbench`.

import * as z from 'zod';
import { idCell, integerCell, textCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readJsonRows } from '../data/text-files.js';
import { seedBenchAnswer, seedBenchMatch } from '../metrics/seedbench.js';
import { defineTask } from './define-task.js';
import { OPTION_LETTER, optionLines } from './prompts.js';
import { fact, meanScore, summarize, summarizeMean } from './summary.js';
import type { Task } from './task.js';

/** The gold letter, and whether the pictures are the frames of a video. */
export interface SeedBenchTarget {
  readonly letter: string;
  readonly dataType: string;
}

const DIMENSIONS = [
  'Scene Understanding',
  'Instance Identity',
  'Instance Attributes',
  'Instance Location',
  'Instances Counting',
  'Spatial Relation',
  'Instance Interaction',
  'Visual Reasoning',
  'Text Understanding',
  'Action Recognition',
  'Action Prediction',
  'Procedure Understanding',
];

export const seedBench: Task<SeedBenchTarget> = defineTask({
  name: 'seedbench',
  title: 'SEED-Bench',
  source: {
    dataset: 'lmms-lab/SEED-Bench',
    config: 'default',
    split: 'test',
    url: 'https://huggingface.co/datasets/lmms-lab/SEED-Bench',
    files: 'SEED-Bench.json and SEED-Bench-image/',
  },
  maxNewTokens: 1024,
  // The paper's SEED column is all questions for LLaVA-1.5-7B in most tables, and those on pictures elsewhere.
  paper: { column: 'SEED', factor: 100 },
  row: z.object({
    question_id: idCell,
    question: textCell,
    choice_a: textCell,
    choice_b: textCell,
    choice_c: textCell,
    choice_d: textCell,
    answer: textCell,
    data_type: textCell,
    question_type_id: integerCell,
    image: z.union([z.array(imageCell).min(1), imageCell.transform((one) => [one])]),
  }),
  async original(folder) {
    const file = folder.find(/SEED-Bench\.json$/)[0];
    if (file === undefined) return null;
    const rows = await readJsonRows(file, 'questions');
    return memoryTable(
      rows
        .filter(({ values }) => values.data_type === 'image')
        .map(({ where, values }) => ({
          where,
          values: { ...values, image: folder.image(String(values.data_id), where) },
        })),
    );
  },
  sample: ({ question_id, question, choice_a, choice_b, choice_c, choice_d, answer, image, ...row }) => ({
    id: question_id,
    images: image,
    question,
    options: [choice_a, choice_b, choice_c, choice_d],
    kind: DIMENSIONS[row.question_type_id - 1] ?? `type ${row.question_type_id}`,
    target: { letter: answer, dataType: row.data_type },
  }),
  prompt: ({ question, options = [] }) => `${question}\n${optionLines(options)}${OPTION_LETTER}`,
  truth: ({ target }) => target.letter,
  score: (text, { target }) => ({
    value: Number(seedBenchMatch(text, target.letter)),
    parsed: seedBenchAnswer(text),
    facts: { dataType: target.dataType },
  }),
  aggregate(answers) {
    const { accuracy, ...kinds } = summarizeMean('accuracy', answers).metrics;
    const of = (type: string): number =>
      meanScore(answers.filter((answer) => fact(answer, 'dataType') === type));
    return summarize(answers.length, {
      accuracy: accuracy!,
      image: of('image'),
      video: of('video'),
      ...kinds,
    });
  },
});
