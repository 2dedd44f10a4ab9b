// The main job on held-out questions: with a tenth of its vision tokens the embedded model stays far closer to itself when
// MMTok chooses them than when chance does. Runs bench/held-out.mjs on a part of its questions.
import type { EvaluationReport } from '@mmtok/tiny-vlm';
import { describe, expect, it } from 'vitest';

interface Way extends EvaluationReport {
  readonly answers: readonly string[];
  readonly prefillMs: number;
  readonly kept: number;
}
interface Comparison {
  readonly questions: number;
  readonly results: Readonly<Record<'all' | 'mmtok' | 'random', Way>>;
}

// JavaScript, so that `node bench/held-out.mjs` runs it as it is.
const bench = '../bench/held-out.mjs';

describe('held-out questions', () => {
  it('are answered with a tenth of the tokens, by MMTok much better than by chance', async () => {
    const { compare } = (await import(bench)) as {
      compare(options: { limit: number; only: readonly string[] }): Promise<Comparison>;
    };
    const { questions, results } = await compare({ limit: 240, only: ['all', 'mmtok', 'random'] });
    const { all, mmtok, random } = results;
    const agreement = (way: Way): number =>
      way.answers.filter((answer, i) => answer === all.answers[i]).length / questions;

    expect(questions).toBe(240);
    expect([all.kept, mmtok.kept, random.kept]).toEqual([256, 25, 25]);
    expect(all.overall.accuracy).toBeGreaterThan(0.83);
    expect(mmtok.overall.accuracy).toBeGreaterThan(0.73);
    expect(random.overall.accuracy).toBeLessThan(0.64);
    expect(mmtok.overall.accuracy - random.overall.accuracy).toBeGreaterThan(0.14);
    expect(agreement(mmtok)).toBeGreaterThan(0.79);
    expect(agreement(mmtok) - agreement(random)).toBeGreaterThan(0.15);
  }, 600_000);
});
