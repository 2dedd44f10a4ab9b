// What tells the questions of a run from others: how many they are, and a digest of them. For run.json.

import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { ImageSource, Sample, Task } from '../tasks/task.js';

/** The questions of a run. */
export interface RunQuestions {
  readonly count: number;
  /** Of what is asked and what is right: ids, prompts, pictures and gold answers; in whatever order. */
  readonly digest: string;
  /** Whether those of a limit were taken at random, by the seed; else they are the first. */
  readonly isRandom: boolean;
}

const BYTES = 32;

export const questionsSchema: z.ZodType<RunQuestions> = z.object({
  count: z.int().positive(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  isRandom: z.boolean(),
});

/**
 * Describes samples. Pictures that are files are read: their contents count, not where they lie, so that a folder may be
 * moved and a run go on.
 */
export async function questionsOf(
  task: Task,
  samples: readonly Sample[],
  isRandom: boolean,
): Promise<RunQuestions> {
  const pictures = new Map<string, string>();
  const digests: string[] = [];
  for (const sample of samples) {
    for (const image of sample.images) {
      if (!pictures.has(image.id)) pictures.set(image.id, await pictureDigest(image));
    }
    const shown = sample.images.map(({ id }) => pictures.get(id));
    digests.push(sha256(JSON.stringify([sample.id, task.prompt(sample), shown, sample.target])));
  }
  return { count: samples.length, digest: joinDigests(digests), isRandom };
}

/** Describes the questions of several runs together. */
export function joinQuestions(parts: readonly [RunQuestions, ...RunQuestions[]]): RunQuestions {
  return {
    count: parts.reduce((count, part) => count + part.count, 0),
    digest: joinDigests(parts.map(({ digest }) => digest)),
    isRandom: parts[0].isRandom,
  };
}

/** Exclusive or, as it knows no order and no grouping: shards have together the digest of the whole. */
function joinDigests(digests: readonly string[]): string {
  const joined = Buffer.alloc(BYTES);
  for (const digest of digests) {
    for (const [at, byte] of Buffer.from(digest, 'hex').entries()) joined[at] = (joined[at] ?? 0) ^ byte;
  }
  return joined.toString('hex');
}

async function pictureDigest(image: ImageSource): Promise<string> {
  return image.path === undefined ? image.id : sha256(await image.read());
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
