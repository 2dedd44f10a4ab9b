// The embedded benchmark: the held-out questions of the embedded model as a task. The questions are handed in.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { LoadOptions, Sample, ScoredAnswer, Summary, Task } from '../tasks/task.js';

/** A question about a drawn scene, as `heldOut()` of `@mmtok/tiny-vlm` gives it. */
export interface ShapesQuestion {
  /** Path of the picture. */
  readonly image: string;
  readonly question: string;
  /** One lower-case word. */
  readonly answer: string;
  readonly kind: string;
}

/**
 * The task `shapes`: one-word answers about drawn shapes, scored by equality. It runs offline.
 *
 * @example
 * const task = shapesTask(await heldOut());
 */
export function shapesTask(questions: readonly ShapesQuestion[]): Task<string> {
  return {
    name: 'shapes',
    title: 'Shapes',
    source: {
      url: 'https://github.com/mmtok/mmtok/tree/main/packages/tiny-vlm/heldout',
      files: 'the held-out questions of @mmtok/tiny-vlm',
    },
    maxNewTokens: 4,
    perfect: 1,
    async *load(options = {}) {
      for (const [at, { image, question, answer, kind }] of chosen(questions, options)) {
        yield {
          id: `${basename(image)}#${at}`,
          images: [{ id: basename(image), path: image, read: () => readFile(image) }],
          question,
          kind,
          target: answer,
        };
      }
    },
    prompt: ({ question }) => question,
    score(answer, { target }: Sample<string>) {
      const parsed = answer.trim().toLowerCase();
      return { value: parsed === target ? 1 : 0, parsed };
    },
    aggregate: accuracies,
  };
}

/** The questions that are asked for, with their numbers. */
function chosen<T>(questions: readonly T[], { limit, seed, shard }: LoadOptions): [number, T][] {
  const all = [...questions.entries()];
  let wanted = all.slice(0, limit);
  if (limit !== undefined && seed !== undefined) {
    const rng = xoroshiro128plus(seed);
    const drawn = [...all];
    for (let i = 0; i < Math.min(limit, drawn.length); i++) {
      const other = uniformInt(rng, i, drawn.length - 1);
      [drawn[i], drawn[other]] = [drawn[other]!, drawn[i]!];
    }
    wanted = drawn.slice(0, limit).sort(([a], [b]) => a - b);
  }
  if (shard === undefined) return wanted;
  return wanted.filter((_, at) => at % shard.count === shard.index);
}

function accuracies(answers: readonly ScoredAnswer[]): Summary {
  const accuracy = (of: readonly ScoredAnswer[]): number =>
    of.reduce((sum, { score }) => sum + score.value, 0) / Math.max(1, of.length);
  const kinds = [...new Set(answers.map(({ kind = '' }) => kind))].filter((kind) => kind !== '').sort();
  const byKind = kinds.map((kind): [string, number] => [
    kind,
    accuracy(answers.filter((one) => one.kind === kind)),
  ]);
  const value = accuracy(answers);
  return {
    count: answers.length,
    metric: 'accuracy',
    value,
    metrics: { accuracy: value, ...Object.fromEntries(byKind) },
  };
}
