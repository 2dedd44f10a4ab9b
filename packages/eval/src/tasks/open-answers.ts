// Benchmarks with short free answers about photographs: GQA, VQAv2, TextVQA, VizWiz.

import * as z from 'zod';
import { type ImageSource, imageCell } from '../data/folder.js';
import { parquetTable } from '../data/parquet.js';
import {
  idCell,
  memoryTable,
  optionalTextCell,
  parseRow,
  type Table,
  textCell,
  textsCell,
} from '../data/table.js';
import { readJsonRows } from '../data/text-files.js';
import { CorruptFileError } from '../errors.js';
import { capitalize, type Profile } from '../metrics/harness.js';
import { exactMatch } from '../metrics/short-answers.js';
import { vqaAccuracy, vqav2Accuracy } from '../metrics/vqa.js';
import { defineTask, mostCommon, SINGLE_WORD, summarizeMean } from './define-task.js';
import type { Task } from './task.js';

// GQA: compositional questions about scenes. On the Hub, questions and images are separate tables.
// Sources: https://arxiv.org/abs/1902.09506, https://cs.stanford.edu/people/dorarad/gqa/, lmms-eval `gqa`.

const SPLIT = 'testdev';
const imageRow = z.object({ id: idCell, image: imageCell });

// 398 images serve 12,578 questions, so they are kept in memory, still encoded.
function withImages(questions: Table, imageTable: Table): Table {
  return {
    count: questions.count,
    async *rows(options) {
      const images = new Map<string, ImageSource>();
      for await (const row of imageTable.rows({ columns: ['id', 'image'] })) {
        const { id, image } = parseRow(imageRow, row);
        images.set(id, image);
      }
      for await (const row of questions.rows(options)) {
        const image = images.get(String(row.values.imageId));
        if (options?.columns?.includes('image') && image === undefined)
          throw new CorruptFileError(row.where, `there is no image with id '${String(row.values.imageId)}'`);
        yield { ...row, values: { ...row.values, image } };
      }
    },
  };
}

/** The target is the gold answer. */
export const gqa: Task<string> = defineTask({
  name: 'gqa',
  title: 'GQA',
  source: {
    dataset: 'lmms-lab/GQA',
    config: 'testdev_balanced_instructions',
    split: SPLIT,
    url: 'https://huggingface.co/datasets/lmms-lab/GQA',
    files: 'testdev_balanced_questions.json and images/',
  },
  maxNewTokens: 16,
  paper: { column: 'GQA', factor: 100 },
  row: z.object({
    id: idCell,
    imageId: idCell,
    question: textCell,
    answer: textCell,
    types: z.object({ structural: z.string().nullish() }).nullish(),
    image: imageCell,
  }),
  async parquet(locate) {
    const questions = await locate('testdev_balanced_instructions', SPLIT);
    const images = await locate('testdev_balanced_images', SPLIT);
    return withImages(await parquetTable(questions), await parquetTable(images));
  },
  async original(folder) {
    const file = folder.find(/testdev_balanced_questions\.json$/)[0];
    if (file === undefined) return null;
    return memoryTable(
      (await readJsonRows(file)).map(({ where, values }) => ({
        where,
        values: { ...values, image: folder.image(`${String(values.imageId)}.jpg`, where) },
      })),
    );
  },
  sample: ({ id, question, answer, types, image }) => ({
    id,
    images: [image],
    question,
    ...(types?.structural && { kind: types.structural }),
    target: answer,
  }),
  prompt: ({ question }) => question + SINGLE_WORD,
  referenceAnswer: ({ target }) => target,
  score: (text, { target }) => ({ value: Number(exactMatch(text, target)), parsed: text }),
  aggregate: (answers) => summarizeMean('exactMatch', answers),
});

// VQAv2, validation: questions about COCO images with ten answers each. The paper reports test-dev, whose answers are not public,
// so numbers are close but not comparable.
// Sources: https://arxiv.org/abs/1612.00837, https://visualqa.org/, lmms-eval `vqav2_val`.

const cocoName = (imageId: unknown): string => `COCO_val2014_${String(imageId).padStart(12, '0')}.jpg`;

/** VQAv2, prompted and scored like the given release of the harness. The target is the ten answers. */
export function vqav2(profile: Profile): Task<readonly string[]> {
  // v0.3.4 had an empty instruction for this task.
  const instruction = profile === 'lmms-eval-0.3.4' ? '' : SINGLE_WORD;
  return defineTask({
    name: 'vqav2',
    title: 'VQAv2 (validation)',
    source: {
      dataset: 'lmms-lab/VQAv2',
      config: 'default',
      split: 'validation',
      url: 'https://huggingface.co/datasets/lmms-lab/VQAv2',
      files:
        'v2_OpenEnded_mscoco_val2014_questions.json, v2_mscoco_val2014_annotations.json and the images of COCO val2014',
    },
    maxNewTokens: 16,
    paper: { column: 'VQAv2', factor: 100 },
    row: z.object({
      question_id: idCell,
      question: textCell,
      answers: z.array(z.object({ answer: textCell })),
      answer_type: optionalTextCell,
      image: imageCell,
    }),
    async original(folder) {
      const questions = folder.find(/OpenEnded_mscoco_val2014_questions\.json$/)[0];
      const annotations = folder.find(/mscoco_val2014_annotations\.json$/)[0];
      if (questions === undefined || annotations === undefined) return null;
      const answers = new Map(
        (await readJsonRows(annotations, 'annotations')).map(({ values }) => [values.question_id, values]),
      );
      return memoryTable(
        (await readJsonRows(questions, 'questions')).map(({ where, values }) => {
          const annotation = answers.get(values.question_id);
          if (annotation === undefined)
            throw new CorruptFileError(
              where,
              `there is no annotation with question_id ${String(values.question_id)}`,
            );
          return {
            where,
            values: { ...annotation, ...values, image: folder.image(cocoName(values.image_id), where) },
          };
        }),
      );
    },
    sample: ({ question_id, question, answers, answer_type, image }) => ({
      id: question_id,
      images: [image],
      question,
      ...(answer_type !== undefined && { kind: answer_type }),
      target: answers.map(({ answer }) => answer),
    }),
    prompt: ({ question }) => question + instruction,
    referenceAnswer: ({ target }) => mostCommon(target),
    score(text, { target }) {
      const { value, normalized } = vqav2Accuracy(text, target, profile);
      return { value, parsed: normalized };
    },
  });
}

// TextVQA, validation: questions about text in the image. Two tasks: without and with the dataset's OCR tokens in the prompt. The
// paper's numbers can only come from the second: its scores without any vision tokens are near 40.
// Sources: https://arxiv.org/abs/1904.08920, https://textvqa.org/dataset/, lmms-eval `textvqa_val`.

/** The ten answers, and the words an OCR system read in the image. */
export interface TextVqaTarget {
  readonly answers: readonly string[];
  readonly ocrTokens: readonly string[];
}

function textVqaTask(name: string, title: string, withOcr: boolean): Task<TextVqaTarget> {
  const ocrFile = 'TextVQA_Rosetta_OCR_v0.2_val.json';
  return defineTask({
    name,
    title,
    source: {
      dataset: 'lmms-lab/textvqa',
      config: 'default',
      split: 'validation',
      url: 'https://huggingface.co/datasets/lmms-lab/textvqa',
      files: `TextVQA_0.5.1_val.json${withOcr ? `, ${ocrFile}` : ''} and train_images/`,
    },
    maxNewTokens: 1024,
    ...(withOcr && { paper: { column: 'TextVQA', factor: 100 } }),
    row: z.object({
      question_id: idCell,
      question: textCell,
      answers: textsCell,
      image: imageCell,
      ocr_tokens: withOcr ? textsCell : textsCell.nullish(),
    }),
    async original(folder) {
      const questions = folder.find(/TextVQA_0\.5\.1_val\.json$/)[0];
      const ocr = folder.find(/TextVQA_Rosetta_OCR_v0\.2_val\.json$/)[0];
      if (questions === undefined || (withOcr && ocr === undefined)) return null;
      const tokens = new Map(
        (ocr === undefined ? [] : await readJsonRows(ocr, 'data')).map(({ values }) => [
          values.image_id,
          values.ocr_tokens,
        ]),
      );
      return memoryTable(
        (await readJsonRows(questions, 'data')).map(({ where, values }) => ({
          where,
          values: {
            ...values,
            ocr_tokens: tokens.get(values.image_id),
            image: folder.image(`${String(values.image_id)}.jpg`, where),
          },
        })),
      );
    },
    sample: ({ question_id, question, answers, image, ocr_tokens }) => ({
      id: question_id,
      images: [image],
      question,
      target: { answers, ocrTokens: ocr_tokens ?? [] },
    }),
    prompt({ question, target }) {
      const ocr = withOcr ? `\nReference OCR token: ${target.ocrTokens.join(', ')}` : '';
      return capitalize(question) + ocr + SINGLE_WORD;
    },
    referenceAnswer: ({ target }) => mostCommon(target.answers),
    score(text, { target }) {
      const { value, normalized } = vqaAccuracy(text, target.answers);
      return { value, parsed: normalized };
    },
  });
}

/** Without OCR tokens, like the harness's default. */
export const textVqa: Task<TextVqaTarget> = textVqaTask('textvqa', 'TextVQA (validation)', false);

/** With OCR tokens, like the paper. */
export const textVqaOcr: Task<TextVqaTarget> = textVqaTask(
  'textvqa-ocr',
  'TextVQA (validation, OCR tokens in the prompt)',
  true,
);

// VizWiz-VQA, validation: questions by blind people about their own photographs. Many cannot be answered.
// Sources: https://arxiv.org/abs/1802.08218, https://vizwiz.org/tasks-and-datasets/vqa/, lmms-eval `vizwiz_vqa_val`.

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
  referenceAnswer: ({ target }) => mostCommon(target),
  score(text, { target }) {
    const { value, normalized } = vqaAccuracy(text, target);
    return { value, parsed: normalized };
  },
});
