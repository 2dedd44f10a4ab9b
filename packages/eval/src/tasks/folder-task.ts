// Your own task: a folder of pictures and a JSONL of questions and answers. For other forms of data, see define-task.ts.

import { basename, dirname, resolve } from 'node:path';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { idCell, textCell } from '../data/cells.js';
import { CorruptFileError } from '../data/corrupt-file-error.js';
import type { Folder } from '../data/folder.js';
import { imageCell } from '../data/image-source.js';
import { parseRow } from '../data/parse-row.js';
import { memoryTable } from '../data/table.js';
import { readJsonLines } from '../data/text-files.js';
import { anls } from '../metrics/anls.js';
import { exactMatch } from '../metrics/exact-match.js';
import { mcqExtract } from '../metrics/mcq-extract.js';
import { relaxedMatch } from '../metrics/relaxed-accuracy.js';
import { vqaAccuracy } from '../metrics/vqa-accuracy.js';
import { RUN_FILES } from '../runner/run-settings.js';
import { defineTask } from './define-task.js';
import { mostCommon } from './most-common.js';
import { letterOf, OPTION_LETTER, optionLines, SINGLE_WORD } from './prompts.js';
import type { LoadOptions, Sample, Score, Task } from './task.js';
import { UnknownFormatError } from './unknown-format-error.js';

/** How an answer is compared with the gold answers, for questions without options. */
export type Match =
  /** The same text but for case and ASCII punctuation. */
  | 'exact'
  /** A gold answer occurs in it, in any case. */
  | 'contains'
  /** The soft accuracy of VQA, for several annotators. */
  | 'vqa'
  /** Numbers within five percent. */
  | 'relaxed'
  /** Nearly the same text counts nearly in full. */
  | 'anls';

const MATCHES = ['exact', 'contains', 'vqa', 'relaxed', 'anls'] as const;

/** Options of {@link folderTask}. */
export interface FolderTaskOptions {
  /** @default the folder's name */
  readonly name?: string;
  /** @default 'exact' */
  readonly match?: Match;
  /** Appended to every question. @default the sentence of the benchmarks that asks for a letter or a short answer */
  readonly instruction?: string;
  /** @default 64 */
  readonly maxNewTokens?: number;
}

const optionsSchema = z.strictObject({
  name: z.string().min(1).optional(),
  match: z.enum(MATCHES).default('exact'),
  instruction: z.string().optional(),
  maxNewTokens: z.int().min(1).default(64),
});

const names = z.union([
  z
    .string()
    .min(1)
    .transform((one) => [one]),
  z.array(z.string().min(1)).min(1),
]);
const lineSchema = z
  .strictObject({
    id: idCell.optional(),
    image: names.optional(),
    images: names.optional(),
    question: z.string().min(1),
    answer: z.string().optional(),
    answers: z.array(z.string()).min(1).optional(),
    options: z.array(z.string()).min(2).max(26).optional(),
    kind: z.string().optional(),
  })
  .refine((line) => line.image ?? line.images, 'expected an image (a file name) or images')
  .refine((line) => line.answer ?? line.answers, 'expected an answer or answers')
  .refine(
    ({ options, answers }) => !options || !answers,
    'expected one answer to a question with options, and no answers beside it',
  )
  .refine(
    ({ options, answer }) => !options || isOption(options, answer),
    'expected the answer to be one of the options, or its letter',
  );

function isOption(options: readonly string[], answer: string | undefined): boolean {
  return answer !== undefined && letterFor(options, answer) !== null;
}

// The gold answer of a multiple-choice question may be the option or its letter.
function letterFor(options: readonly string[], answer: string): string | null {
  const index = options.indexOf(answer);
  if (index >= 0) return letterOf(index);
  return options.some((_, place) => letterOf(place) === answer) ? answer : null;
}

const includes = (text: string, gold: string): boolean => text.toLowerCase().includes(gold.toLowerCase());

const VALUE: Readonly<Record<Match, (text: string, gold: readonly string[]) => number>> = {
  exact: (text, gold) => Number(gold.some((answer) => exactMatch(text, answer))),
  contains: (text, gold) => Number(gold.some((answer) => includes(text, answer))),
  vqa: (text, gold) => vqaAccuracy(text, gold).value,
  relaxed: (text, gold) => Number(gold.some((answer) => relaxedMatch(text, answer))),
  anls,
};

function scoreChoice(text: string, options: readonly string[], gold: string): Score {
  const letters = options.map((_, index) => letterOf(index));
  const same = options.findIndex((option) => exactMatch(text, option));
  const parsed = same >= 0 ? letterOf(same) : mcqExtract(text, letters);
  return { value: Number(parsed !== null && parsed === letterFor(options, gold)), parsed };
}

/** Files of questions: those that a run left in the folder are none. */
function questionFiles(folder: Folder): string[] {
  const settings = folder.find(/\.json$/).filter((path) => basename(path) === RUN_FILES.settings);
  const runs = new Set(settings.map((path) => dirname(path)));
  return folder
    .find(/\.jsonl$/)
    .filter((path) => !runs.has(dirname(path)) || basename(path) !== RUN_FILES.records);
}

/** @throws CorruptFileError for the second line of an id. */
function assertDistinct(
  rows: readonly { readonly where: string; readonly values: { readonly id: string } }[],
): void {
  const places = new Map<string, string>();
  for (const { where, values } of rows) {
    const other = places.get(values.id);
    if (other !== undefined) {
      throw new CorruptFileError(
        where,
        `its id '${values.id}' is that of ${other}; give each line an id of its own (one without has its number)`,
      );
    }
    places.set(values.id, where);
  }
}

/**
 * A task from a folder with pictures and one `.jsonl` file. Each line is an object:
 * `{ "image": "a.png", "question": "…", "answer": "…" }`, with `images` for several pictures, `answers` for several
 * right ones, `options` for multiple choice (then there is one `answer`, an option or its letter), `kind` for a table per
 * kind, and `id` (else the line's number in the file). Records of runs in the folder are no questions.
 *
 * @throws InvalidOptionsError at once for options of the wrong form; the errors of {@link Task.load} name file and line.
 *
 * @example
 * const task = folderTask('./my-photos', { match: 'contains' });
 * for await (const sample of task.load()) console.log(task.prompt(sample));
 */
export function folderTask(folderPath: string, options: FolderTaskOptions = {}): Task<readonly string[]> {
  const {
    name = basename(resolve(folderPath)),
    match,
    instruction,
    maxNewTokens,
  } = parseOptions('options of folderTask', optionsSchema, options);
  const task = defineTask({
    name,
    title: name,
    source: {
      url: folderPath,
      files: 'one .jsonl file with an image, a question and an answer on each line, and pictures',
    },
    maxNewTokens,
    row: z.object({
      id: textCell,
      images: z.array(imageCell),
      question: textCell,
      answers: z.array(textCell),
      options: z.array(textCell).optional(),
      kind: textCell.optional(),
    }),
    async original(folder) {
      const files = questionFiles(folder);
      if (files.length > 1)
        throw new UnknownFormatError(
          name,
          `'${folderPath}'`,
          `expected one .jsonl file, found ${files.join(', ')}`,
        );
      const file = files[0];
      if (file === undefined) return null;
      const lines = await readJsonLines(file);
      const rows = lines.map((row) => {
        const { id, image, images, answer, answers, ...line } = parseRow(lineSchema, row);
        const pictures = (images ?? image)!.map((picture) => folder.image(picture, row.where));
        const values = {
          ...line,
          id: id ?? String(row.line),
          images: pictures,
          answers: answers ?? [answer],
        };
        return { where: row.where, values };
      });
      assertDistinct(rows);
      return memoryTable(rows);
    },
    sample: ({ id, images, question, answers, options: choices, kind }): Sample<readonly string[]> => ({
      id,
      images,
      question,
      ...(choices && { options: choices }),
      ...(kind !== undefined && { kind }),
      target: answers,
    }),
    prompt: ({ question, options: choices }) =>
      choices === undefined
        ? question + (instruction ?? SINGLE_WORD)
        : `${question}\n${optionLines(choices)}${instruction ?? OPTION_LETTER}`,
    truth: ({ target }) => mostCommon(target),
    score: (text, { options: choices, target }) =>
      choices === undefined
        ? { value: VALUE[match](text, target), parsed: text }
        : scoreChoice(text, choices, target[0]!),
  });
  return { ...task, load: (given?: LoadOptions) => task.load({ from: folderPath, ...given }) };
}
