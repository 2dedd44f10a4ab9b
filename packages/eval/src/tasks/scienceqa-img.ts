// ScienceQA-IMG: the school science questions of ScienceQA that have a picture. Multiple choice.
// Sources: https://arxiv.org/abs/2209.09513, https://github.com/lupantech/ScienceQA, lmms-eval `scienceqa_img`.

import * as z from 'zod';
import { integerCell, optionalTextCell, textCell, textsCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readJson, readJsonRows, type TextRow } from '../data/text-files.js';
import type { Profile } from '../metrics/profile.js';
import { scienceQaMatch } from '../metrics/scienceqa.js';
import { defineTask } from './define-task.js';
import { letterOf, OPTION_LETTER, optionLines } from './prompts.js';
import { summarizeMean } from './summary.js';
import type { Task } from './task.js';

/** The gold letter, and the text to read before the question. */
export interface ScienceQaTarget {
  readonly letter: string;
  readonly hint: string;
}

const splits = z.object({ test: z.array(z.string()) });

/** The task, scored as the given release of the harness does. */
export function scienceQaImg(profile: Profile): Task<ScienceQaTarget> {
  return defineTask({
    name: 'scienceqa-img',
    title: 'ScienceQA-IMG',
    source: {
      dataset: 'lmms-lab/ScienceQA',
      config: 'ScienceQA-IMG',
      split: 'test',
      url: 'https://huggingface.co/datasets/lmms-lab/ScienceQA',
      files: 'problems.json, pid_splits.json (unless problems.json names the splits) and test/<id>/image.png',
    },
    maxNewTokens: 16,
    paper: { column: 'SQA', factor: 100 },
    row: z.object({
      pid: optionalTextCell,
      question: textCell,
      choices: textsCell,
      answer: integerCell,
      hint: optionalTextCell,
      subject: optionalTextCell,
      image: imageCell,
    }),
    async original(folder) {
      const file = folder.find(/problems\.json$/)[0];
      if (file === undefined) return null;
      const splitFile = folder.find(/pid_splits\.json$/)[0];
      const test = splitFile && new Set(splits.parse(await readJson(splitFile)).test);
      const isTest = ({ values }: TextRow): boolean =>
        test ? test.has(String(values.id)) : values.split === 'test';
      const rows = (await readJsonRows(file)).filter((row) => isTest(row) && Boolean(row.values.image));
      return memoryTable(
        rows.map(({ where, values }) => {
          const pid = String(values.id);
          const image = folder.image(`${pid}/${String(values.image)}`, where);
          return { where, values: { ...values, pid, image } };
        }),
      );
    },
    sample: ({ pid, question, choices, answer, hint = '', subject, image }, { index }) => ({
      id: pid ?? String(index),
      images: [image],
      question,
      options: choices,
      ...(subject !== undefined && { kind: subject }),
      target: { letter: letterOf(answer), hint },
    }),
    prompt({ question, options = [], target }) {
      const context = target.hint === '' ? '' : `Context: ${target.hint}\n`;
      return `${context}${question}\n${optionLines(options)}${OPTION_LETTER}`;
    },
    truth: ({ target }) => target.letter,
    score: (text, { target }) => ({
      value: Number(scienceQaMatch(text, target.letter, profile)),
      parsed: text,
    }),
    aggregate: (answers) => summarizeMean('exactMatch', answers),
  });
}
