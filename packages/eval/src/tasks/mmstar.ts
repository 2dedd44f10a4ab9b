// MMStar: 1500 multiple-choice questions that cannot be answered without the picture.
// Sources: https://arxiv.org/abs/2403.20330, https://mmstar-benchmark.github.io/, lmms-eval `mmstar`.

import * as z from 'zod';
import { idCell, textCell } from '../data/cells.js';
import { imageCell } from '../data/image-source.js';
import { memoryTable } from '../data/table.js';
import { readTsv, type TextRow } from '../data/text-files.js';
import { mmstarMatch, mmstarScores } from '../metrics/mmstar.js';
import type { Profile } from '../metrics/profile.js';
import { strip } from '../metrics/python-text.js';
import { defineTask } from './define-task.js';
import { fact, prefixed, summarize } from './summary.js';
import type { Task } from './task.js';

/** The gold letter, and the fine category by which answers are averaged. */
export interface MmstarTarget {
  readonly letter: string;
  readonly l2Category: string;
}

// No full stop: so MMTok does not recognise the sentence and covers its words too, as in the paper.
const INSTRUCTION = "\nAnswer with the option's letter from the given choices directly";

// A TSV may hold the options in columns of their own; the parquet file has them in the question.
function likeParquet({ where, values }: TextRow): TextRow {
  const { A, B, C, D } = values;
  const options = A === undefined ? '' : `\nOptions: A: ${A}, B: ${B}, C: ${C}, D: ${D}`;
  return {
    where,
    values: {
      ...values,
      question: `${values.question}${options}`,
      l2_category: values.l2_category ?? values['l2-category'],
    },
  };
}

/** The task, scored as the given release of the harness does. */
export function mmstar(profile: Profile): Task<MmstarTarget> {
  return defineTask({
    name: 'mmstar',
    title: 'MMStar',
    source: {
      dataset: 'Lin-Chen/MMStar',
      config: 'val',
      split: 'val',
      url: 'https://huggingface.co/datasets/Lin-Chen/MMStar',
      files: 'MMStar.tsv',
    },
    maxNewTokens: 1024,
    paper: { column: 'MMStar', factor: 100 },
    row: z.object({
      index: idCell,
      question: textCell,
      answer: textCell,
      category: textCell,
      l2_category: textCell,
      image: imageCell,
    }),
    async original(folder) {
      const file = folder.find(/MMStar\.tsv$/)[0];
      return file === undefined ? null : memoryTable((await readTsv(file)).map(likeParquet));
    },
    sample: ({ index, question, answer, category, l2_category, image }) => ({
      id: index,
      images: [image],
      question: strip(question).replaceAll(' Please answer yes or no.', ''),
      kind: category,
      target: { letter: answer, l2Category: l2_category },
    }),
    prompt: ({ question }) => question + INSTRUCTION,
    truth: ({ target }) => target.letter,
    score: (text, { target }) => ({
      value: Number(mmstarMatch(text, target.letter, profile)),
      parsed: text,
      facts: { l2Category: target.l2Category },
    }),
    aggregate(answers) {
      const { average, category } = mmstarScores(
        answers.map((answer) => ({
          value: answer.score.value,
          category: answer.kind ?? '',
          l2Category: fact(answer, 'l2Category'),
        })),
      );
      return summarize(answers.length, { average, ...prefixed('average', category) });
    },
  });
}
