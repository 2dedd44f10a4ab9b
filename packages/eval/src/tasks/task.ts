// What a benchmark is to whoever runs it: samples, a prompt, a score, a summary. Types only: no dataset, no model,
// no file format.

import type { ImageSource } from '../data/folder.js';

/** A value that survives JSON. */
export type Fact = string | number | boolean | null;

/** One question about one or more pictures, with what is needed to score its answer. */
export interface Sample<Target = unknown> {
  /** Unique within the task, and stable between runs. */
  readonly id: string;
  readonly images: readonly ImageSource[];
  /** The question as the dataset has it; {@link Task.prompt} makes the text for the model. */
  readonly question: string;
  /** The options of a multiple-choice question, in order: A, B, C, … */
  readonly options?: readonly string[];
  /** The kind of question, for a table per kind, e.g. `'adversarial'` or `'OCR'`. */
  readonly kind?: string;
  /** Samples of one group are scored together (MMBench rotations, MME pairs): keep and resample them as one. */
  readonly group?: string;
  /** The gold answer or answers, and whatever else {@link Task.score} reads. */
  readonly target: Target;
}

/** What one answer is worth. */
export interface Score {
  /** From 0 (wrong) to 1 (right). */
  readonly value: number;
  /** What was read from the answer; `null` when nothing could be. */
  readonly parsed?: Fact;
  /** What {@link Task.aggregate} needs beside `value`; written into the record, so a report needs no dataset. */
  readonly facts?: Readonly<Record<string, Fact>>;
}

/** A scored answer, as kept in a record: all that {@link Task.aggregate} reads. */
export interface ScoredAnswer {
  readonly id: string;
  readonly kind?: string | undefined;
  readonly group?: string | undefined;
  readonly score: Score;
}

/** The result of a task over many answers. */
export interface Summary {
  /** Answers counted. */
  readonly count: number;
  /** The name of the headline metric, a key of `metrics`, e.g. `'f1'`. */
  readonly metric: string;
  /** The headline metric. Higher is better. */
  readonly value: number;
  /** All metrics by name, in a stable order, the headline first. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Where a task's data comes from. */
export interface TaskSource {
  /** The dataset on the Hugging Face Hub, e.g. `'lmms-lab/POPE'`. */
  readonly dataset?: string;
  readonly config?: string;
  readonly split?: string;
  /** The page of the dataset or its paper. */
  readonly url: string;
  /** The original files that are read as well, in a few words. */
  readonly files: string;
}

/** The column of the MMTok paper (https://arxiv.org/abs/2508.18264) that a task answers to. */
export interface PaperColumn {
  readonly column: string;
  /** Multiply {@link Summary.value} with this to compare with the paper. */
  readonly factor: number;
}

/** One part of a task: machines `0 … count - 1` take disjoint samples that are together all of them. */
export interface Shard {
  /** From 0 to `count - 1`. */
  readonly index: number;
  readonly count: number;
}

/** Which samples to load, and from where. */
export interface LoadOptions {
  /**
   * A folder, a file, or several files or URLs: the dataset's parquet files, or its original files.
   * Left out: read from the Hugging Face Hub, row group by row group.
   */
  readonly from?: string | readonly string[];
  /** At most this many samples; whole groups are kept, so there may be a few more. */
  readonly limit?: number;
  /** With a limit: which samples, at random but always the same for one seed. Without a seed: the first. */
  readonly seed?: number;
  /** Applied after `limit`, so that the shards of a limited run are together that run. */
  readonly shard?: Shard;
  /** Whether symbolic links that lead out of the folder are followed. @default false */
  readonly followLinks?: boolean;
}

/**
 * A benchmark. The built-in ones come from `getTask`; your own from `folderTask` (images and a JSONL of questions),
 * `defineTask` (your own rows), or any object of this form.
 */
export interface Task<Target = unknown> {
  /** Kebab-case, e.g. `'pope'`. */
  readonly name: string;
  /** For people, e.g. `'POPE'`. */
  readonly title: string;
  readonly source: TaskSource;
  /** The longest answer the benchmark lets a model give, in tokens. */
  readonly maxNewTokens: number;
  /** What {@link Summary.value} can reach: 1, 100 or, for MME, 2800. */
  readonly perfect: number;
  readonly paper?: PaperColumn;
  /** How it scores, e.g. `{ match: 'anls' }`, where that can be chosen: a run goes on with a task of the same options only. */
  readonly options?: Readonly<Record<string, string>>;
  /**
   * The samples in the order of the dataset, one at a time.
   * @throws MissingFileError, CorruptFileError, UnknownFormatError for data that is not there, not readable or of another form.
   */
  load(options?: LoadOptions): AsyncIterable<Sample<Target>>;
  /** The user text for the model, without image placeholders. */
  prompt(sample: Sample<Target>): string;
  /** A right answer as a model would give it: what an oracle says. Absent where nobody knows, as in test sets. */
  truth?(sample: Sample<Target>): string;
  /** Scores the model's text. */
  score(answer: string, sample: Sample<Target>): Score;
  /** Summarises scored answers, in any order. */
  aggregate(answers: readonly ScoredAnswer[]): Summary;
}
