// The main job on held-out questions: with a tenth of its vision tokens the embedded model stays far closer to itself when
// MMTok chooses them than when chance does. Runs bench/held-out.mjs on a part of its questions.
import type { EvaluationReport } from '@mmtok/tiny-vlm';
import { describe, expect, it } from 'vitest';

/** How many questions are asked, each with all tokens, a tenth by MMTok, as published and focused, and a tenth at random. */
const QUESTIONS = 360;
/** What the model answers rightly at least with all its tokens, and with a tenth of them chosen by MMTok. */
const ALL_AT_LEAST = 0.95;
const MMTOK_AT_LEAST = 0.91;
/** The same of MMTok with a focus on the question. */
const FOCUSED_AT_LEAST = 0.94;
/** What it answers rightly at most with a tenth chosen at random, and how far MMTok is ahead of that at least. */
const RANDOM_AT_MOST = 0.72;
const AHEAD_OF_RANDOM = 0.22;
/** How often MMTok leaves the answer as it is at least, and how far it is ahead of chance in that. */
const SAME_ANSWER_AT_LEAST = 0.91;
const SAME_ANSWER_AHEAD = 0.22;

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

describe('held-out questions', () => {
  it('are answered with a tenth of the tokens, by MMTok much better than by chance', async () => {
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
    expect(all.overall.accuracy).toBeGreaterThan(ALL_AT_LEAST);
    expect(mmtok.overall.accuracy).toBeGreaterThan(MMTOK_AT_LEAST);
    expect(focused.overall.accuracy).toBeGreaterThan(FOCUSED_AT_LEAST);
    expect(random.overall.accuracy).toBeLessThan(RANDOM_AT_MOST);
    expect(mmtok.overall.accuracy - random.overall.accuracy).toBeGreaterThan(AHEAD_OF_RANDOM);
    expect(agreement(mmtok)).toBeGreaterThan(SAME_ANSWER_AT_LEAST);
    expect(agreement(mmtok) - agreement(random)).toBeGreaterThan(SAME_ANSWER_AHEAD);
  }, 600_000);
});
