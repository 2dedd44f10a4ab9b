// MMBench, English dev: multiple choice with every rotation of the options. A question counts when all rotations are right.
// Offline scoring: no judge model is asked.
// Sources: https://arxiv.org/abs/2307.06281, https://github.com/open-compass/MMBench, lmms-eval `mmbench_en_dev_static`.

import * as z from 'zod';
import { integerCell, textCell } from '../data/cells.js';
import { CorruptFileError } from '../data/errors.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readTsv, type TextRow } from '../data/text-files.js';
import { mmbenchAnswer, mmbenchQuestion, mmbenchScores } from '../metrics/mmbench.js';
import { defineTask } from './define-task.js';
import { OPTION_LETTER, optionLines } from './prompts.js';
import { fact, prefixed, summarize } from './summary.js';
import type { Task } from './task.js';

/** The gold letter, the options by letter, and the row's number. */
export interface MmbenchTarget {
  readonly answer: string;
  readonly options: Readonly<Record<'A' | 'B' | 'C' | 'D', string>>;
  readonly hint: string;
  readonly index: number;
  readonly l2Category: string;
}

const NONE = 'nan';
const isThere = (cell: string): boolean => cell !== '' && cell !== NONE;
// On the Hub an option or hint that is missing is the text 'nan', or null.
const maybeText = z
  .string()
  .nullish()
  .transform((text) => text || NONE);
const SHORTEST_PICTURE = 64;

// A TSV may hold another row's number instead of a picture it repeats.
function resolvePictures(rows: readonly TextRow[]): TextRow[] {
  const byIndex = new Map(rows.map((row) => [row.values.index, row]));
  return rows.map((row) => {
    const { image } = row.values;
    if (typeof image !== 'string' || image.length > SHORTEST_PICTURE) return row;
    const other = byIndex.get(image)?.values.image;
    if (other === undefined) throw new CorruptFileError(row.where, `image: there is no row '${image}'`);
    return { ...row, values: { ...row.values, image: other } };
  });
}

export const mmbench: Task<MmbenchTarget> = defineTask({
  name: 'mmbench',
  title: 'MMBench (en, dev)',
  source: {
    dataset: 'lmms-lab/MMBench',
    config: 'en',
    split: 'dev',
    url: 'https://huggingface.co/datasets/lmms-lab/MMBench',
    files: 'mmbench_dev_20231003.tsv, mmbench_dev_20230712.tsv or MMBench_DEV_EN.tsv',
  },
  maxNewTokens: 1024,
  perfect: 100,
  paper: { column: 'MMB', factor: 1 },
  row: z.object({
    index: integerCell,
    question: textCell,
    hint: maybeText,
    answer: textCell,
    A: maybeText,
    B: maybeText,
    C: maybeText,
    D: maybeText,
    category: textCell,
    'L2-category': textCell,
    image: imageCell,
  }),
  group: { column: 'index', key: (index) => String(mmbenchQuestion(Number(index))) },
  async original(folder) {
    const file = folder.find(/mmbench_dev[^/]*\.tsv$/i)[0];
    if (file === undefined) return null;
    const rows = resolvePictures(await readTsv(file));
    return memoryTable(
      rows.map(({ where, values }) => ({
        where,
        values: { ...values, 'L2-category': values['L2-category'] ?? values['l2-category'] },
      })),
    );
  },
  sample({ index, question, hint, answer, A, B, C, D, category, image, ...rest }) {
    const options = { A, B, C, D };
    return {
      id: String(index),
      images: [image],
      question,
      options: Object.values(options).filter(isThere),
      kind: category,
      group: String(mmbenchQuestion(index)),
      target: { answer, options, hint, index, l2Category: rest['L2-category'] },
    };
  },
  prompt({ question, options = [], target }) {
    const lead = isThere(target.hint) ? `${target.hint} ${question}` : question;
    return `${lead} There are several options:\n${optionLines(options)}\n${OPTION_LETTER}`;
  },
  truth: ({ target }) => target.answer,
  score(text, { target }) {
    const parsed = mmbenchAnswer(text, target.options);
    return {
      value: Number(parsed === target.answer),
      parsed,
      facts: { index: target.index, l2Category: target.l2Category },
    };
  },
  aggregate(answers) {
    const scores = mmbenchScores(
      answers.map((answer) => ({
        index: Number(fact(answer, 'index')),
        correct: answer.score.value === 1,
        category: answer.kind ?? '',
        l2Category: fact(answer, 'l2Category'),
      })),
    );
    return summarize(answers.length, {
      circular: scores.overall,
      ...prefixed('category', scores.category),
      ...prefixed('l2', scores.l2Category),
    });
  },
});
