// Benchmarks about reading: ChartQA, DocVQA, OCRBench.

import * as z from 'zod';
import { imageCell } from '../data/folder.js';
import { idCell, memoryTable, textCell, textsCell } from '../data/table.js';
import { readJsonRows, type TextRow } from '../data/text-files.js';
import { type Profile, strip } from '../metrics/harness.js';
import { anls, ocrBenchMatch, relaxedMatch } from '../metrics/short-answers.js';
import { defineTask, mostCommon, SINGLE_WORD, summarize, summarizeMean } from './define-task.js';
import type { Task } from './task.js';

// ChartQA, test: questions about charts, half of them written by people and half generated.
// Sources: https://aclanthology.org/2022.findings-acl.177/, https://github.com/vis-nlp/ChartQA, lmms-eval `chartqa`.

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
  referenceAnswer: ({ target }) => target,
  score: (text, { target }) => ({ value: Number(relaxedMatch(text, target)), parsed: text }),
  aggregate: (answers) => summarizeMean('relaxed', answers),
});

// DocVQA, validation: questions about scanned documents.
// Sources: https://arxiv.org/abs/2007.00398, https://www.docvqa.org/, lmms-eval `docvqa_val`.

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
  referenceAnswer: ({ target }) => mostCommon(target),
  score: (text, { target }) => ({ value: anls(text, target), parsed: text }),
  aggregate: (answers) => summarizeMean('anls', answers),
});

// OCRBench: a thousand questions of ten kinds about text in images.
// Sources: https://arxiv.org/abs/2305.07895, https://github.com/Yuliang-Liu/MultimodalOCR, lmms-eval `ocrbench`.

/** The gold answers, and the dataset the image comes from. */
export interface OcrBenchTarget {
  readonly answers: readonly string[];
  readonly dataset: string;
}

/** OCRBench, scored like the given release of the harness. */
export function ocrBench(profile: Profile): Task<OcrBenchTarget> {
  return defineTask({
    name: 'ocrbench',
    title: 'OCRBench',
    source: {
      dataset: 'echo840/OCRBench',
      config: 'default',
      split: 'test',
      url: 'https://huggingface.co/datasets/echo840/OCRBench',
      files: 'OCRBench.json and its images',
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
    referenceAnswer: ({ target }) => mostCommon(target.answers),
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
