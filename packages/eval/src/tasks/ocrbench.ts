// OCRBench: a thousand questions about text in pictures, of ten kinds.
// Sources: https://arxiv.org/abs/2305.07895, https://github.com/Yuliang-Liu/MultimodalOCR, lmms-eval `ocrbench`.

import * as z from 'zod';
import { textCell, textsCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readJsonRows } from '../data/text-files.js';
import { ocrBenchMatch } from '../metrics/ocrbench.js';
import type { Profile } from '../metrics/profile.js';
import { strip } from '../metrics/python-text.js';
import { defineTask } from './define-task.js';
import { mostCommon } from './most-common.js';
import { summarize, summarizeMean } from './summary.js';
import type { Task } from './task.js';

/** The gold answers, and the dataset the picture was taken from. */
export interface OcrBenchTarget {
  readonly answers: readonly string[];
  readonly dataset: string;
}

/** The task, scored as the given release of the harness does. */
export function ocrBench(profile: Profile): Task<OcrBenchTarget> {
  return defineTask({
    name: 'ocrbench',
    title: 'OCRBench',
    source: {
      dataset: 'echo840/OCRBench',
      config: 'default',
      split: 'test',
      url: 'https://huggingface.co/datasets/echo840/OCRBench',
      files: 'OCRBench.json and its pictures',
    },
    maxNewTokens: 128,
    paper: { column: 'OCRBench', factor: 100 },
    row: z.object({
      dataset: textCell,
      question: textCell,
      question_type: textCell,
      answer: z.union([textsCell, textCell.transform((one) => [one])]),
      image: imageCell,
    }),
    async original(folder) {
      const file = folder.find(/OCRBench\.json$/)[0];
      if (file === undefined) return null;
      return memoryTable(
        (await readJsonRows(file)).map(({ where, values }) => ({
          where,
          values: {
            dataset: values.dataset_name,
            question: values.question,
            question_type: values.type,
            answer: values.answers,
            image: folder.image(String(values.image_path), where),
          },
        })),
      );
    },
    sample: ({ dataset, question, question_type, answer, image }, { index }) => ({
      id: String(index),
      images: [image],
      question: strip(question),
      kind: question_type,
      target: { answers: answer, dataset },
    }),
    prompt: ({ question }) => question,
    truth: ({ target }) => mostCommon(target.answers),
    score: (text, { target }) => ({
      value: Number(ocrBenchMatch(text, target.answers, target.dataset, profile)),
      parsed: text,
    }),
    aggregate(answers) {
      const { accuracy, ...kinds } = summarizeMean('accuracy', answers).metrics;
      const points = answers.reduce((sum, answer) => sum + answer.score.value, 0);
      return summarize(answers.length, { accuracy: accuracy!, points, ...kinds });
    },
  });
}
