// What a benchmark is to its users: samples, a prompt, a score, a summary. Types only.

import type { ImageSource } from '../data/folder.js';

/** A JSON value. */
export type Detail = string | number | boolean | null;

/** One question about one or more images, with everything needed to score its answer. */
export interface Sample<Target = unknown> {
  /** Unique within the task and stable between runs. */
  readonly id: string;
  readonly images: readonly ImageSource[];
  /** The question as in the dataset; {@link Task.prompt} makes the text for the model. */
  readonly question: string;
  /** The options of a multiple-choice question, in order: A, B, C, … */
  readonly options?: readonly string[];
  /** The kind of question, for a table per kind, e.g. `'adversarial'` or `'OCR'`. */
  readonly kind?: string;
  /** Samples of one group are scored together (MMBench rotations, MME pairs) and must be kept and resampled together. */
  readonly group?: string;
  /** The gold answer or answers, and anything else that {@link Task.score} reads. */
  readonly target: Target;
}

/** The score of one answer. */
export interface Score {
  /** From 0 (wrong) to 1 (right). */
  readonly value: number;
  /** What was parsed from the answer; `null` if nothing could be. */
  readonly parsed?: Detail;
  /** What {@link Task.aggregate} needs besides `value`. It is part of the record, so a report needs no dataset. */
  readonly details?: Readonly<Record<string, Detail>>;
}

/** A scored answer from a record, which is all that {@link Task.aggregate} reads. */
export interface ScoredAnswer {
  readonly id: string;
  readonly kind?: string | undefined;
  readonly group?: string | undefined;
  readonly score: Score;
}

/** The result of a task over many answers. */
export interface Summary {
  /** Number of answers. */
  readonly count: number;
  /** The name of the primary metric, a key of `metrics`, e.g. `'f1'`. */
  readonly metric: string;
  /** The primary metric. Higher is better. */
  readonly value: number;
  /** All metrics by name in a stable order, the primary one first. */
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
  /** The original files that can be read too, in a few words. */
  readonly files: string;
}

/** The column of the MMTok paper (https://arxiv.org/abs/2508.18264) that a task corresponds to. */
export interface PaperColumn {
  readonly column: string;
  /** Multiply {@link Summary.value} by this to compare with the paper. */
  readonly factor: number;
}

/** A part of a task. Shards `0 … count - 1` are disjoint and together hold all samples. */
export interface Shard {
  /** From 0 to `count - 1`. */
  readonly index: number;
  readonly count: number;
}

/** Which samples to load, and from where. */
export interface LoadOptions {
  /**
   * A folder, a file, or several files or URLs: the dataset's parquet files, or its original files.
   * @default the Hugging Face Hub, read one row group at a time
   */
  readonly from?: string | readonly string[];
  /** Maximum number of samples. Whole groups are kept, so there may be a few more. */
  readonly limit?: number;
  /** With a limit: choose samples at random, the same ones for a given seed. Without a seed: the first samples. */
  readonly seed?: number;
  /** Applied after `limit`, so the shards of a limited run add up to that run. */
  readonly shard?: Shard;
  /** Whether to follow symbolic links out of the folder. @default false */
  readonly followLinks?: boolean;
}

/**
 * A benchmark. Built-in ones come from `getTask`; your own from `folderTask` (images and a JSONL file of questions), `defineTask`
 * (your own rows), or any object of this shape.
 */
export interface Task<Target = unknown> {
  /** Kebab-case, e.g. `'pope'`. */
  readonly name: string;
  /** Human-readable, e.g. `'POPE'`. */
  readonly title: string;
  readonly source: TaskSource;
  /** Maximum answer length in tokens. */
  readonly maxNewTokens: number;
  /** The highest possible {@link Summary.value}: 1, 100 or, for MME, 2800. */
  readonly maxScore: number;
  readonly paper?: PaperColumn;
  /** How it scores, if that can be chosen, e.g. `{ match: 'anls' }`. A run can be resumed only with the same options. */
  readonly options?: Readonly<Record<string, string>>;
  /**
   * The samples one at a time, in the order of the dataset.
   * @throws MissingFileError, CorruptFileError, UnknownFormatError for data that is missing, damaged or in another format.
   */
  load(options?: LoadOptions): AsyncIterable<Sample<Target>>;
  /** The user text for the model, without image placeholders. */
  prompt(sample: Sample<Target>): string;
  /** A right answer as a model would give it, which the oracle uses. Absent if it is unknown, as in test sets. */
  referenceAnswer?(sample: Sample<Target>): string;
  /** Scores the model's text. */
  score(answer: string, sample: Sample<Target>): Score;
  /** Summarizes scored answers, in any order. */
  aggregate(answers: readonly ScoredAnswer[]): Summary;
}
