// The main job on held-out questions: with a tenth of the vision tokens, the embedded model's answers stay far closer to the unpruned
// ones if MMTok selects the tokens than if they are random. Runs bench/held-out.mjs on some of its questions.
import type { EvaluationReport } from '@mmtok/tiny-vlm';
import { expect, it } from 'vitest';

interface Way extends EvaluationReport {
  readonly answers: readonly string[];
  readonly prefillMs: number;
  readonly kept: number;
}
interface Comparison {
  readonly questions: number;
  readonly results: Readonly<Record<'all' | 'mmtok' | 'focused' | 'random', Way>>;
}

const QUESTIONS = 360;

// JavaScript, so that `node bench/held-out.mjs` runs it as it is.
const bench = '../bench/held-out.mjs';

it(`${QUESTIONS} questions are answered much better with MMTok than with random tokens, at a tenth`, async () => {
  const { compare } = (await import(bench)) as {
    compare(options: { limit: number; only: readonly string[] }): Promise<Comparison>;
  };
  const only = ['all', 'mmtok', 'focused', 'random'];
  const { questions, results } = await compare({ limit: QUESTIONS, only });
  const { all, mmtok, focused, random } = results;
  const agreement = (way: Way): number =>
    way.answers.filter((answer, i) => answer === all.answers[i]).length / questions;

  expect(questions).toBe(QUESTIONS);
  const tenth = Math.floor(all.kept / 10);
  expect([mmtok.kept, focused.kept, random.kept]).toEqual([tenth, tenth, tenth]);
  expect(all.overall.accuracy).toBeGreaterThan(0.95);
  expect(mmtok.overall.accuracy).toBeGreaterThan(0.91);
  expect(focused.overall.accuracy).toBeGreaterThan(0.94);
  expect(random.overall.accuracy).toBeLessThan(0.72);
  expect(mmtok.overall.accuracy - random.overall.accuracy).toBeGreaterThan(0.22);
  expect(agreement(mmtok)).toBeGreaterThan(0.91);
  expect(agreement(mmtok) - agreement(random)).toBeGreaterThan(0.22);
});
