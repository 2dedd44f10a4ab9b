// TextVQA, validation: questions whose answer is written in the picture. Two tasks: without and with the OCR tokens of the
// dataset in the prompt. The paper's numbers can only come from the second (its scores without any vision token are near 40).
// Sources: https://arxiv.org/abs/1904.08920, https://textvqa.org/dataset/, lmms-eval `textvqa_val`.

import * as z from 'zod';
import { idCell, textCell, textsCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readJsonRows } from '../data/text-files.js';
import { capitalize } from '../metrics/python-text.js';
import { vqaAccuracy } from '../metrics/vqa-accuracy.js';
import { defineTask } from './define-task.js';
import { mostCommon } from './most-common.js';
import { SINGLE_WORD } from './prompts.js';
import type { Task } from './task.js';

/** The ten answers, and the words an OCR system read in the picture. */
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
    truth: ({ target }) => mostCommon(target.answers),
    score(text, { target }) {
      const { value, normalized } = vqaAccuracy(text, target.answers);
      return { value, parsed: normalized };
    },
  });
}

/** Without OCR tokens, the harness's default. */
export const textVqa: Task<TextVqaTarget> = textVqaTask('textvqa', 'TextVQA (validation)', false);

/** With OCR tokens, as in the paper. */
export const textVqaOcr: Task<TextVqaTarget> = textVqaTask(
  'textvqa-ocr',
  'TextVQA (validation, OCR tokens in the prompt)',
  true,
);
