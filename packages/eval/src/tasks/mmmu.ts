// MMMU, validation: college-level questions in thirty subjects with one to seven images; multiple choice and open.
// Sources: https://arxiv.org/abs/2311.16502, https://github.com/MMMU-Benchmark/MMMU, lmms-eval `mmmu_val`.

import * as z from 'zod';
import { imageCell } from '../data/folder.js';
import { textCell } from '../data/table.js';
import { parsePythonList } from '../data/text-files.js';
import { CorruptFileError } from '../errors.js';
import type { Profile } from '../metrics/harness.js';
import { mmmuChoice, mmmuOpenMatch, mmmuScores, mmmuSubject } from '../metrics/mmmu.js';
import {
  defineTask,
  mostCommon,
  OPTION_LETTER,
  optionLines,
  prefixed,
  SINGLE_WORD,
  summarize,
} from './define-task.js';
import type { Task } from './task.js';

/** The gold letter or answer. */
export interface MmmuTarget {
  readonly answer: string;
  readonly isOpen: boolean;
}

const image = imageCell.nullish();

/** MMMU. Answers may be longer since the harness's release of December 2025. */
export function mmmu(profile: Profile): Task<MmmuTarget> {
  return defineTask({
    name: 'mmmu',
    title: 'MMMU (validation)',
    source: {
      dataset: 'lmms-lab/MMMU',
      config: 'default',
      split: 'validation',
      url: 'https://huggingface.co/datasets/lmms-lab/MMMU',
      files: 'the parquet files of MMMU/MMMU, a folder per subject',
    },
    maxNewTokens: profile === 'latest' ? 128 : 16,
    paper: { column: 'MMMU', factor: 100 },
    row: z.object({
      id: textCell,
      question: textCell,
      options: textCell,
      answer: textCell,
      question_type: textCell,
      image_1: image,
      image_2: image,
      image_3: image,
      image_4: image,
      image_5: image,
      image_6: image,
      image_7: image,
    }),
    sample({ id, question, options: literal, answer, question_type, ...row }, { where }) {
      const options = parsePythonList(literal);
      if (options === null)
        throw new CorruptFileError(where, `options: expected a list of strings, got ${literal}`);
      const isOpen = question_type === 'open';
      const text = isOpen ? question : `${question}\n${optionLines(options)}`;
      const names = [...new Set(text.match(/<image [1-7]>/g))].sort();
      const images = names.map((name) => {
        const column = `image_${name.slice(7, 8)}` as keyof typeof row;
        const found = row[column];
        if (!found)
          throw new CorruptFileError(
            where,
            `${column}: the question refers to ${name}, but there is no such image`,
          );
        return found;
      });
      return {
        id,
        images,
        question,
        ...(!isOpen && { options }),
        kind: mmmuSubject(id),
        target: { answer, isOpen },
      };
    },
    prompt: ({ question, options }) =>
      options === undefined
        ? `${question}\n${SINGLE_WORD}`
        : `${question}\n${optionLines(options)}\n${OPTION_LETTER}`,
    referenceAnswer: ({ target: { answer } }) => (typeof answer === 'string' ? answer : mostCommon(answer)),
    score(text, { options = [], target }) {
      if (target.isOpen) return { value: Number(mmmuOpenMatch(text, target.answer)), parsed: text };
      const parsed = mmmuChoice(text, options);
      return { value: Number(parsed === target.answer), parsed };
    },
    aggregate(answers) {
      const { accuracy, domains } = mmmuScores(
        answers.map((answer) => ({ value: answer.score.value, subject: answer.kind ?? '' })),
      );
      return summarize(answers.length, { accuracy, ...prefixed('accuracy', domains) });
    },
  });
}
