// Multiple-choice benchmarks: MMBench, MMStar, ScienceQA, SEED-Bench.

import * as z from 'zod';
import { imageCell } from '../data/folder.js';
import { idCell, integerCell, memoryTable, optionalTextCell, textCell, textsCell } from '../data/table.js';
import { readJson, readJsonRows, readTsv, type TextRow } from '../data/text-files.js';
import { CorruptFileError } from '../errors.js';
import { type Profile, strip } from '../metrics/harness.js';
import {
  mmbenchAnswer,
  mmbenchQuestion,
  mmbenchScores,
  mmstarMatch,
  mmstarScores,
  scienceQaMatch,
  seedBenchAnswer,
  seedBenchMatch,
} from '../metrics/multiple-choice.js';
import {
  defineTask,
  detail,
  letterOf,
  meanScore,
  OPTION_LETTER,
  optionLines,
  prefixed,
  summarize,
  summarizeMean,
} from './define-task.js';
import type { Task } from './task.js';

// MMBench, English dev: every question with every rotation of its options; it counts if all are right. No judge model is used.
// Sources: https://arxiv.org/abs/2307.06281, https://github.com/open-compass/MMBench, lmms-eval `mmbench_en_dev_static`.

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
// On the Hub a missing option or hint is the text 'nan', or null.
const maybeText = z
  .string()
  .nullish()
  .transform((text) => text || NONE);
const SHORTEST_IMAGE = 64;

// In the TSV an image cell may hold the index of another row with the same image.
function resolveImages(rows: readonly TextRow[]): TextRow[] {
  const byIndex = new Map(rows.map((row) => [row.values.index, row]));
  return rows.map((row) => {
    const { image } = row.values;
    if (typeof image !== 'string' || image.length > SHORTEST_IMAGE) return row;
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
  maxScore: 100,
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
    const rows = resolveImages(await readTsv(file));
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
  referenceAnswer: ({ target }) => target.answer,
  score(text, { target }) {
    const parsed = mmbenchAnswer(text, target.options);
    return {
      value: Number(parsed === target.answer),
      parsed,
      details: { index: target.index, l2Category: target.l2Category },
    };
  },
  aggregate(answers) {
    const scores = mmbenchScores(
      answers.map((answer) => ({
        index: Number(detail(answer, 'index')),
        correct: answer.score.value === 1,
        category: answer.kind ?? '',
        l2Category: detail(answer, 'l2Category'),
      })),
    );
    return summarize(answers.length, {
      circular: scores.overall,
      ...prefixed('category', scores.category),
      ...prefixed('l2', scores.l2Category),
    });
  },
});

// MMStar: 1500 multiple-choice questions that cannot be answered without the image.
// Sources: https://arxiv.org/abs/2403.20330, https://mmstar-benchmark.github.io/, lmms-eval `mmstar`.

/** The gold letter, and the fine category by which answers are averaged. */
export interface MmstarTarget {
  readonly letter: string;
  readonly l2Category: string;
}

// Without a period, so MMTok does not recognize the sentence and covers its words too, as in the paper.
const INSTRUCTION = "\nAnswer with the option's letter from the given choices directly";

// A TSV may have a column per option; in the parquet file options are part of the question.
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

/** MMStar, scored like the given release of the harness. */
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
    referenceAnswer: ({ target }) => target.letter,
    score: (text, { target }) => ({
      value: Number(mmstarMatch(text, target.letter, profile)),
      parsed: text,
      details: { l2Category: target.l2Category },
    }),
    aggregate(answers) {
      const { average, category } = mmstarScores(
        answers.map((answer) => ({
          value: answer.score.value,
          category: answer.kind ?? '',
          l2Category: detail(answer, 'l2Category'),
        })),
      );
      return summarize(answers.length, { average, ...prefixed('average', category) });
    },
  });
}

// ScienceQA-IMG: the questions of ScienceQA that have an image. Multiple choice.
// Sources: https://arxiv.org/abs/2209.09513, https://github.com/lupantech/ScienceQA, lmms-eval `scienceqa_img`.

/** The gold letter, and the text that precedes the question. */
export interface ScienceQaTarget {
  readonly letter: string;
  readonly hint: string;
}

const splits = z.object({ test: z.array(z.string()) });

/** ScienceQA-IMG, scored like the given release of the harness. */
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
    referenceAnswer: ({ target }) => target.letter,
    score: (text, { target }) => ({
      value: Number(scienceQaMatch(text, target.letter, profile)),
      parsed: text,
    }),
    aggregate: (answers) => summarizeMean('exactMatch', answers),
  });
}

// SEED-Bench: multiple choice in twelve dimensions, nine on images and three on videos (frames). From the original files only the
// image questions are read; the frames would first have to be extracted from videos.
// Sources: https://arxiv.org/abs/2307.16125, https://github.com/AILab-CVC/SEED-Bench, lmms-eval `seedbench`.

/** The gold letter, and whether the images are frames of a video. */
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
  // The paper's SEED column means all questions in most tables for LLaVA-1.5-7B, and image questions elsewhere.
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
  referenceAnswer: ({ target }) => target.letter,
  score: (text, { target }) => ({
    value: Number(seedBenchMatch(text, target.letter)),
    parsed: seedBenchAnswer(text),
    details: { dataType: target.dataType },
  }),
  aggregate(answers) {
    const { accuracy, ...kinds } = summarizeMean('accuracy', answers).metrics;
    const of = (type: string): number =>
      meanScore(answers.filter((answer) => detail(answer, 'dataType') === type));
    return summarize(answers.length, {
      accuracy: accuracy!,
      image: of('image'),
      video: of('video'),
      ...kinds,
    });
  },
});
