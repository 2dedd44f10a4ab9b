// VQAv2, validation: questions about COCO pictures with ten answers each. The paper's column is test-dev, whose answers are
// not public: numbers of this task are near it, not the same.
// Sources: https://arxiv.org/abs/1612.00837, https://visualqa.org/, lmms-eval `vqav2_val`.

import * as z from 'zod';
import { idCell, optionalTextCell, textCell } from '../data/cells.js';
import { CorruptFileError } from '../data/errors.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readJsonRows } from '../data/text-files.js';
import type { Profile } from '../metrics/profile.js';
import { vqav2Accuracy } from '../metrics/vqa-accuracy.js';
import { defineTask } from './define-task.js';
import { mostCommon } from './most-common.js';
import { SINGLE_WORD } from './prompts.js';
import type { Task } from './task.js';

const cocoName = (imageId: unknown): string => `COCO_val2014_${String(imageId).padStart(12, '0')}.jpg`;

/** The task as the given release of the harness has it; the target is the ten answers. */
export function vqav2(profile: Profile): Task<readonly string[]> {
  // v0.3.4 set an empty instruction for this task.
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
        'v2_OpenEnded_mscoco_val2014_questions.json, v2_mscoco_val2014_annotations.json and the pictures of COCO val2014',
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
              `no annotation has the question_id ${String(values.question_id)}`,
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
    truth: ({ target }) => mostCommon(target),
    score(text, { target }) {
      const { value, normalized } = vqav2Accuracy(text, target, profile);
      return { value, parsed: normalized };
    },
  });
}
