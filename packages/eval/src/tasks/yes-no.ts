// Benchmarks of yes-or-no questions: POPE, MME.

import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as z from 'zod';
import { imageCell, imageFile } from '../data/folder.js';
import { idCell, memoryTable, textCell } from '../data/table.js';
import { readJsonLines, type TextRow } from '../data/text-files.js';
import { CorruptFileError } from '../errors.js';
import { strip } from '../metrics/harness.js';
import {
  MME_COGNITION,
  MME_PERCEPTION,
  mmeAnswer,
  mmeScores,
  popeAnswer,
  popeMetrics,
} from '../metrics/yes-no.js';
import { groupBy } from '../stats/statistics.js';
import { defineTask, detail, prefixed, SINGLE_WORD, summarize } from './define-task.js';
import type { ScoredAnswer, Task } from './task.js';

// POPE: is this object in the image? Absent objects are sampled in three ways (random, popular, adversarial).
// Sources: https://arxiv.org/abs/2305.10355, https://github.com/AoiDragon/POPE, lmms-eval `pope`.

const FILE = /coco_pope_(adversarial|popular|random)\.json$/;

const metrics = (answers: readonly ScoredAnswer[]): Record<string, number> => ({
  ...popeMetrics(
    answers.map((answer) => ({ predicted: String(answer.score.parsed), answer: detail(answer, 'answer') })),
  ),
});

/** The target is `'yes'` or `'no'`. */
export const pope: Task<string> = defineTask({
  name: 'pope',
  title: 'POPE',
  source: {
    dataset: 'lmms-lab/POPE',
    config: 'default',
    split: 'test',
    url: 'https://huggingface.co/datasets/lmms-lab/POPE',
    files: 'coco_pope_{adversarial,popular,random}.json and the images of COCO val2014',
  },
  maxNewTokens: 128,
  paper: { column: 'POPE', factor: 100 },
  row: z.object({
    question_id: idCell,
    question: textCell,
    answer: textCell,
    category: textCell,
    image: imageCell,
  }),
  async original(folder) {
    const files = folder.find(FILE);
    const rows: TextRow[] = [];
    for (const file of files) {
      const category = FILE.exec(file)![1]!;
      for (const { where, values } of await readJsonLines(file)) {
        const image = folder.image(String(values.image), where);
        rows.push({
          where,
          values: { ...values, question: values.text, answer: values.label, category, image },
        });
      }
    }
    return files.length === 0 ? null : memoryTable(rows);
  },
  sample: ({ question_id, question, answer, category, image }) => ({
    id: `${category}/${question_id}`,
    images: [image],
    question: strip(question),
    kind: category,
    // Stripped, like in the harness.
    target: strip(answer.toLowerCase()),
  }),
  prompt: ({ question }) => question + SINGLE_WORD,
  referenceAnswer: ({ target }) => target,
  score(text, { target }) {
    const parsed = popeAnswer(text);
    return { value: Number(parsed === target), parsed, details: { answer: target } };
  },
  aggregate(answers) {
    const kinds = [...groupBy(answers, (answer) => answer.kind ?? '')].map(([kind, group]) =>
      prefixed('f1', { [kind]: metrics(group).f1! }),
    );
    return summarize(answers.length, Object.assign({}, metrics(answers), ...kinds));
  },
});

// MME: two yes/no questions per image in fourteen categories. The paper reports perception plus cognition.
// Sources: https://arxiv.org/abs/2306.13394,
// https://github.com/BradyFU/Awesome-Multimodal-Large-Language-Models/tree/Evaluation, lmms-eval `mme`.

const CATEGORIES: readonly string[] = [...MME_PERCEPTION, ...MME_COGNITION];
// In some categories images and texts have separate folders.
const INNER_FOLDERS = new Set(['images', 'questions_answers_YN']);
const ASK = ' Please answer yes or no.';

interface Place {
  readonly category: string;
  readonly name: string;
}

function placeOf(path: string): Place {
  const folder = dirname(path);
  const category = basename(INNER_FOLDERS.has(basename(folder)) ? dirname(folder) : folder);
  return { category, name: basename(path).replace(/\.\w+$/, '') };
}

const key = ({ category, name }: Place): string => `${category}/${name}`;

async function readQuestions(path: string, imagePath: string): Promise<TextRow[]> {
  const place = placeOf(path);
  const lines = (await readFile(path, 'utf8')).split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.map((line, index) => {
    const where = `${key(place)}.txt, line ${index + 1}`;
    const [question, answer] = line.split('\t');
    if (answer === undefined) throw new CorruptFileError(where, 'expected a question, a tab and Yes or No');
    const question_id = `${place.category}/${basename(imagePath)}`;
    return {
      where,
      values: {
        question_id,
        question,
        answer: strip(answer),
        category: place.category,
        image: imageFile(imagePath),
      },
    };
  });
}

/** The target is `'yes'` or `'no'`. */
export const mme: Task<string> = defineTask({
  name: 'mme',
  title: 'MME',
  source: {
    dataset: 'lmms-lab/MME',
    config: 'default',
    split: 'test',
    url: 'https://huggingface.co/datasets/lmms-lab/MME',
    files: 'MME_Benchmark_release_version/ with a folder per category',
  },
  maxNewTokens: 16,
  maxScore: 2800,
  paper: { column: 'MME', factor: 1 },
  row: z.object({
    question_id: textCell,
    question: textCell,
    answer: textCell,
    category: textCell,
    image: imageCell,
  }),
  group: { column: 'question_id', key: String },
  async original(folder) {
    const texts = folder.find(/\.txt$/).filter((path) => CATEGORIES.includes(placeOf(path).category));
    const imagePaths = new Map(folder.find(/\.(?:png|jpe?g)$/i).map((path) => [key(placeOf(path)), path]));
    const rows: TextRow[] = [];
    for (const path of texts) {
      const imagePath = imagePaths.get(key(placeOf(path)));
      if (imagePath === undefined)
        throw new CorruptFileError(path, 'has no image of the same name next to it');
      rows.push(...(await readQuestions(path, imagePath)));
    }
    return texts.length === 0 ? null : memoryTable(rows);
  },
  sample: ({ question_id, question, answer, category, image }, { index }) => ({
    id: `${question_id}#${index}`,
    images: [image],
    question: strip(question).replaceAll(ASK, ''),
    kind: category,
    group: question_id,
    target: answer.toLowerCase(),
  }),
  prompt: ({ question }) => question + SINGLE_WORD,
  referenceAnswer: ({ target }) => target,
  score(text, { target }) {
    const parsed = mmeAnswer(text);
    return { value: Number(parsed === target), parsed };
  },
  aggregate(answers) {
    const { total, perception, cognition, categories } = mmeScores(
      answers.map((answer) => ({
        group: answer.group ?? answer.id,
        category: answer.kind ?? '',
        correct: answer.score.value === 1,
      })),
    );
    return summarize(answers.length, { total, perception, cognition, ...prefixed('category', categories) });
  },
});
