// Your own task: a folder of images and a JSONL file of questions and answers. For other formats, see define-task.ts.

import { basename, dirname, resolve } from 'node:path';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { type Folder, imageCell, RUN_FILES } from '../data/folder.js';
import { idCell, memoryTable, parseRow, textCell } from '../data/table.js';
import { readJsonLines } from '../data/text-files.js';
import { CorruptFileError, UnknownFormatError } from '../errors.js';
import { strip } from '../metrics/harness.js';
import { mcqExtract } from '../metrics/multiple-choice.js';
import {
  anls,
  containsAnswer,
  relaxedMatch,
  sameAnswer,
  sameNumber,
  usualCharacters,
} from '../metrics/short-answers.js';
import { vqaAccuracy } from '../metrics/vqa.js';
import { defineTask, letterOf, mostCommon, OPTION_LETTER, optionLines, SINGLE_WORD } from './define-task.js';
import type { LoadOptions, Sample, Score, Task } from './task.js';

/**
 * How answers are compared with gold answers. Questions with options always use `choice`. `exact`, `number`, `choice` and `contains`
 * treat variants of a character as equal (`５` is `5`, `ﬁ` is `fi`); `vqa`, `relaxed` and `anls` equal the benchmarks' metrics.
 */
export type Match =
  /** Same text up to case, spaces, quotes and final punctuation; numbers by value, see `sameAnswer`. */
  | 'exact'
  /** Same number, or the only number in a sentence: `50%` is `0.5`. */
  | 'number'
  /** One of the question's options, by text or letter. */
  | 'choice'
  /** A gold answer occurs as whole words. */
  | 'contains'
  /** The soft accuracy of VQA, for several annotators. */
  | 'vqa'
  /** Numbers within five percent. */
  | 'relaxed'
  /** Normalized edit similarity: typos cost little. */
  | 'anls';

/** All ways to compare answers. */
export const MATCHES: readonly Match[] = ['exact', 'number', 'choice', 'contains', 'vqa', 'relaxed', 'anls'];

/** Options of {@link folderTask}. */
export interface FolderTaskOptions {
  /** @default the folder's name */
  readonly name?: string;
  /** @default 'exact' */
  readonly match?: Match;
  /** Appended to every question. @default the benchmarks' sentence asking for a letter or a short answer */
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

// pandas writes numbers for columns that hold only numbers, and null for missing values.
const text = z.union([z.string(), z.number(), z.boolean()]).transform((value) => strip(String(value)));
const texts = z.array(text).min(1);
const names = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((one) => [one].flat());
const lineSchema = z
  .object({
    id: idCell.nullish(),
    image: names.nullish(),
    images: names.nullish(),
    question: z.string().refine((question) => strip(question) !== '', 'expected a question, got empty text'),
    answer: text.nullish(),
    answers: texts.nullish(),
    options: z.array(text).min(2).max(26).nullish(),
    kind: text.nullish(),
  })
  .refine((line) => (line.image ?? line.images) != null, 'expected an image (a file name) or images')
  .refine((line) => (line.answer ?? line.answers) != null, 'expected an answer or answers')
  .refine(
    ({ options, answers }) => !options || !answers,
    'expected a single answer to a question with options, not answers',
  )
  .refine(
    ({ options, answer }) => !options || (answer != null && letterFor(options, answer) !== null),
    'expected the answer to be one of the options, or its letter',
  )
  .refine(
    ({ options }) => !options || new Set(options).size === options.length,
    'expected distinct options, got a duplicate',
  );
const KEYS = Object.keys(lineSchema.shape);

/** @throws CorruptFileError for a key that looks like a typo of a known one. Other unknown keys are ignored. */
function assertNoTypingError(where: string, values: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(values).filter((one) => !KEYS.includes(one))) {
    const meant = KEYS.find((known) => known.length > 4 && isAlike(key, known) && !(known in values));
    if (meant !== undefined)
      throw new CorruptFileError(
        where,
        `has a key '${key}'; did you mean '${meant}'? Rename it, or remove it`,
      );
  }
}

/** The same letters in another order, or one letter added, removed or replaced. */
function isAlike(a: string, b: string): boolean {
  if ([...a].sort().join('') === [...b].sort().join('')) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  const rest = short.slice(short.length === long.length ? at + 1 : at);
  return rest === long.slice(at + 1);
}

// The gold answer of a multiple-choice question may be an option or its letter.
function letterFor(options: readonly string[], answer: string): string | null {
  const index = options.indexOf(answer);
  if (index >= 0) return letterOf(index);
  return options.some((_, place) => letterOf(place) === answer) ? answer : null;
}

type Compare = (text: string, gold: readonly string[]) => number;
const anyOf =
  (isSame: (text: string, gold: string) => boolean): Compare =>
  (text, gold) =>
    Number(gold.some((answer) => isSame(text, answer)));

const VALUE: Readonly<Record<Match, Compare>> = {
  exact: anyOf(sameAnswer),
  number: anyOf(sameNumber),
  // Without options there is nothing to choose from.
  choice: () => 0,
  contains: anyOf(containsAnswer),
  vqa: (text, gold) => vqaAccuracy(text, gold).value,
  relaxed: anyOf((text, answer) => answer !== '' && relaxedMatch(text, answer)),
  anls: (text, gold) =>
    anls(
      text,
      gold.filter((answer) => answer !== ''),
    ),
};

/** The option that an answer names: literally, or else by its text, or else by its letter. */
function chosenLetter(text: string, options: readonly string[]): string | null {
  const literal = options.indexOf(text);
  if (literal >= 0) return letterOf(literal);
  const letters = options.map((_, index) => letterOf(index));
  if (letters.includes(text)) return text;
  const same = letters.filter((_, index) => sameAnswer(text, options[index]!));
  return same.length === 1 ? same[0]! : mcqExtract(usualCharacters(text), letters);
}

function scoreChoice(text: string, options: readonly string[], gold: string): Score {
  const parsed = chosenLetter(text, options);
  return { value: Number(parsed !== null && parsed === letterFor(options, gold)), parsed };
}

/** The question files, without the records of runs in the same folder. */
function questionFiles(folder: Folder): string[] {
  const settings = folder.find(/\.json$/).filter((path) => basename(path) === RUN_FILES.settings);
  const runs = new Set(settings.map((path) => dirname(path)));
  return folder
    .find(/\.jsonl$/)
    .filter((path) => !runs.has(dirname(path)) || basename(path) !== RUN_FILES.records);
}

/** @throws CorruptFileError for a duplicate id. */
function assertDistinct(
  rows: readonly { readonly where: string; readonly values: { readonly id: string } }[],
): void {
  const places = new Map<string, string>();
  for (const { where, values } of rows) {
    const other = places.get(values.id);
    if (other !== undefined) {
      throw new CorruptFileError(
        where,
        `duplicate id '${values.id}', also used by ${other}; give each line its own id, or none (then it is the line number)`,
      );
    }
    places.set(values.id, where);
  }
}

/** @throws CorruptFileError for a question whose own gold answers score 0: no method could lose anything on it. */
function assertAnswerable(where: string, match: Match, best: number, { options, answers }: Answerable): void {
  if (best > 0) return;
  const gold = answers.map((answer) => `'${answer}'`).join(', ');
  const why: Partial<Record<Match, string>> = {
    number: 'it is not a number',
    choice: 'the question has no options',
    vqa: 'the soft accuracy of VQA needs at least two annotators who agree',
  };
  const reason = options === undefined ? (why[match] ?? 'it is empty') : 'the options cannot be told apart';
  throw new CorruptFileError(
    where,
    `no answer can be right: even ${gold} scores 0 with match '${match}': ${reason}; fix the line, or choose another match`,
  );
}

interface Answerable {
  readonly options?: readonly string[] | undefined;
  readonly answers: readonly string[];
}

/**
 * A task from a folder with images and one `.jsonl` file. Each line is an object such as
 * `{ "image": "a.png", "question": "…", "answer": "…" }`. Use `images` for several images, `answers` for several right answers,
 * `options` for multiple choice (with one `answer`: an option or its letter), `kind` for a table per kind, and `id` (default:
 * the line number). Answers and options may be numbers; `null` means missing; other keys are ignored. Records of runs in the
 * folder are not read as questions.
 *
 * @throws InvalidOptionsError immediately, for invalid options. Errors of {@link Task.load} name file and line.
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
  const scoreOf = (answer: string, choices: readonly string[] | undefined, gold: readonly string[]): Score =>
    choices === undefined
      ? { value: VALUE[match](answer, gold), parsed: answer }
      : scoreChoice(answer, choices, gold[0]!);
  const task = defineTask({
    name,
    title: name,
    source: {
      url: folderPath,
      files: 'one .jsonl file with an image, a question and an answer per line, and the images',
    },
    maxNewTokens,
    options: { match, ...(instruction !== undefined && { instruction }) },
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
        assertNoTypingError(row.where, row.values);
        const line = parseRow(lineSchema, row);
        const values = {
          id: line.id ?? String(row.line),
          images: (line.images ?? line.image)!.map((file) => folder.image(file, row.where)),
          question: line.question,
          answers: line.answers ?? [line.answer!],
          options: line.options ?? undefined,
          kind: line.kind ?? undefined,
        };
        const best = values.answers.map((answer) => scoreOf(answer, values.options, values.answers).value);
        assertAnswerable(row.where, match, Math.max(...best), values);
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
    referenceAnswer: ({ target }) => mostCommon(target),
    score: (answer, { options: choices, target }) => scoreOf(answer, choices, target),
  });
  return { ...task, load: (given?: LoadOptions) => task.load({ from: folderPath, ...given }) };
}
