// The main job on held-out questions: with a tenth of its vision tokens the embedded model stays far closer to itself when
// MMTok chooses them than when chance does. Runs bench/held-out.mjs on a part of its questions.
import type { EvaluationReport } from '@mmtok/tiny-vlm';
import { expect } from 'vitest';

/** What must hold of so many questions; the fewer, the wider. */
export interface HeldOutLimits {
  /** Shares of right answers at least: with all tokens, and with a tenth by MMTok, as published and with a focus. */
  readonly all: number;
  readonly mmtok: number;
  readonly focused: number;
  /** The share at most with a tenth chosen at random. */
  readonly random: number;
  /** How far MMTok is ahead of chance at least, in right answers and in answers left as they are. */
  readonly ahead: number;
  /** The share of answers that MMTok leaves as they are, at least. */
  readonly same: number;
}

interface Way extends EvaluationReport {
  readonly answers: readonly string[];
  readonly prefillMs: number;
  readonly kept: number;
}
interface Comparison {
  readonly questions: number;
  readonly results: Readonly<Record<'all' | 'mmtok' | 'focused' | 'random', Way>>;
}

// JavaScript, so that `node bench/held-out.mjs` runs it as it is.
const bench = '../bench/held-out.mjs';

/** Asks the first questions, each with all tokens, a tenth by MMTok, as published and focused, and a tenth at random. */
export async function checkHeldOut(count: number, limits: HeldOutLimits): Promise<void> {
  const { compare } = (await import(bench)) as {
    compare(options: { limit: number; only: readonly string[] }): Promise<Comparison>;
  };
  const only = ['all', 'mmtok', 'focused', 'random'];
  const { questions, results } = await compare({ limit: count, only });
  const { all, mmtok, focused, random } = results;
  const agreement = (way: Way): number =>
    way.answers.filter((answer, i) => answer === all.answers[i]).length / questions;

  expect(questions).toBe(count);
  const tenth = Math.floor(all.kept / 10);
  expect([mmtok.kept, focused.kept, random.kept]).toEqual([tenth, tenth, tenth]);
  expect(all.overall.accuracy).toBeGreaterThan(limits.all);
  expect(mmtok.overall.accuracy).toBeGreaterThan(limits.mmtok);
  expect(focused.overall.accuracy).toBeGreaterThan(limits.focused);
  expect(random.overall.accuracy).toBeLessThan(limits.random);
  expect(mmtok.overall.accuracy - random.overall.accuracy).toBeGreaterThan(limits.ahead);
  expect(agreement(mmtok)).toBeGreaterThan(limits.same);
  expect(agreement(mmtok) - agreement(random)).toBeGreaterThan(limits.ahead);
}
