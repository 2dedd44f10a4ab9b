// Identifies the questions of a run: their number, a digest of each, and a digest of all.

import { createHash } from 'node:crypto';
import { MmtokError } from '@mmtok/core';
import * as z from 'zod';
import type { ImageSource } from '../data/folder.js';
import { RunError } from '../errors.js';
import type { Sample, Task } from '../tasks/task.js';
import type { EvalRecord } from './records.js';

/** The questions of a run. */
export interface RunQuestions {
  readonly count: number;
  /** Digest of ids, prompts, images and gold answers, in any order. */
  readonly digest: string;
  /** Whether a limit took random questions, by the seed; otherwise it took the first. */
  readonly isRandom: boolean;
}

/** A question that could not be asked. */
export interface SkippedQuestion {
  readonly id: string;
  /** The reason. */
  readonly problem: string;
}

/** Errors caused by one question's data rather than by the run. */
const BROKEN_QUESTION: ReadonlySet<string> = new Set([
  'MMTOK_BROKEN_QUESTION',
  'MMTOK_CORRUPT_FILE',
  'MMTOK_INPUT_FILE',
  'MMTOK_MISSING_FILE',
]);

/** Thrown by a model for a question that cannot be asked, e.g. because its image is damaged. */
export class BrokenQuestionError extends MmtokError {
  constructor(problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_BROKEN_QUESTION', problem, { kind: 'data', ...options });
  }
}

const BYTES = 32;
/** Hexadecimal digits of the digest in a record. */
const SHORT = 16;

export const questionsSchema: z.ZodType<RunQuestions> = z.object({
  count: z.int().nonnegative(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  isRandom: z.boolean(),
});

export const skippedSchema: z.ZodType<readonly SkippedQuestion[]> = z.array(
  z.object({ id: z.string(), problem: z.string() }),
);

/** The digests of a run's questions. Questions found to be broken are removed. */
export class QuestionDigests {
  readonly skipped: SkippedQuestion[] = [];
  private readonly digests = new Map<string, string>();
  private readonly isRandom: boolean;
  private readonly skips: boolean;

  constructor(options: { readonly isRandom: boolean; readonly skips: boolean }) {
    this.isRandom = options.isRandom;
    this.skips = options.skips;
  }

  /**
   * Reads the questions, including image files: the digest depends on their contents rather than their paths, so a folder may move
   * between runs.
   * @throws RunError for a question whose image cannot be read, unless broken questions are skipped.
   */
  async add(task: Task, samples: readonly Sample[]): Promise<void> {
    const imageDigests = new Map<string, string>();
    for (const sample of samples) {
      try {
        for (const image of sample.images) {
          if (!imageDigests.has(image.id)) imageDigests.set(image.id, await digestOfImage(image));
        }
      } catch (error) {
        this.skip(sample.id, error);
        continue;
      }
      const shown = sample.images.map(({ id }) => imageDigests.get(id));
      const asked = JSON.stringify([sample.id, task.prompt(sample), shown, sample.target]);
      this.digests.set(sample.id, sha256(asked));
    }
  }

  /**
   * Skips a question because of an error in its data.
   * @throws RunError naming the question, unless broken questions are skipped. Other errors are rethrown.
   */
  skip(id: string, error: unknown): void {
    if (!MmtokError.isInstance(error) || !BROKEN_QUESTION.has(error.code)) throw error;
    if (!this.skips) {
      throw new RunError(
        `Question '${id}' cannot be asked: ${error.message.replace(/\.$/, '')}. Answers so far are kept: fix it and run again ` +
          'to resume, or skip such questions (--skip-broken, or skipBroken)',
        { cause: error },
      );
    }
    this.digests.delete(id);
    this.skipped.push({ id, problem: error.message });
  }

  /** Whether a question can be asked, as far as known. */
  has(id: string): boolean {
    return this.digests.has(id);
  }

  /** The part of a question's digest that records keep. */
  short(id: string): string {
    return (this.digests.get(id) ?? '').slice(0, SHORT);
  }

  /** All questions that can be asked. */
  get questions(): RunQuestions {
    const digest = joinDigests([...this.digests.values()]);
    return { count: this.digests.size, digest, isRandom: this.isRandom };
  }

  /**
   * Ids of answered questions that have since changed or disappeared. Records of old versions, without a digest per question, are
   * checked against the digest of all questions.
   * @param before the questions of the run when it was started, if saved.
   */
  changed(records: readonly EvalRecord[], before: RunQuestions | undefined): string[] {
    const isSame = before === undefined || before.digest === this.questions.digest;
    const isSkipped = new Set(this.skipped.map(({ id }) => id));
    const changed = records.filter(({ id, digest }) => {
      if (isSkipped.has(id)) return false;
      return digest === undefined ? !isSame : digest !== this.short(id);
    });
    return [...new Set(changed.map(({ id }) => id))];
  }
}

/** Describes the questions of several runs together. */
export function joinQuestions(parts: readonly [RunQuestions, ...RunQuestions[]]): RunQuestions {
  return {
    count: parts.reduce((count, part) => count + part.count, 0),
    digest: joinDigests(parts.map(({ digest }) => digest)),
    isRandom: parts[0].isRandom,
  };
}

/** Exclusive or: independent of order and grouping, so shards combine to the digest of the whole. */
function joinDigests(digests: readonly string[]): string {
  const joined = Buffer.alloc(BYTES);
  for (const digest of digests) {
    for (const [at, byte] of Buffer.from(digest, 'hex').entries()) joined[at] = (joined[at] ?? 0) ^ byte;
  }
  return joined.toString('hex');
}

async function digestOfImage(image: ImageSource): Promise<string> {
  return image.path === undefined ? image.id : sha256(await image.read());
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
