import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { forgetQuestions, linesOf, options } from '../../test/run-options.js';
import { mergeRuns, type RunOptions, readRun, runEvaluation } from '../index.js';
import { mmtok, random, uniform } from '../methods/index.js';

describe('shards', () => {
  const shardRun = (index: number, count: number, more: Partial<RunOptions> = {}) =>
    runEvaluation(options({ shard: { index, count }, ...more }));

  it('merge into the complete run', async () => {
    const whole = await runEvaluation(options());
    const folders = [(await shardRun(0, 2)).folder, (await shardRun(1, 2)).folder];
    const out = join(temporary(), 'merged');
    const { records, settings } = mergeRuns(folders, out);
    const plain = (all: typeof records) =>
      all.map(({ encodeMs, selectMs, prefillMs, decodeMs, ...rest }) => JSON.stringify(rest)).toSorted();
    expect(plain(records)).toEqual(plain(whole.records));
    expect(settings.shard).toBeUndefined();
    expect(readRun(out).records).toHaveLength(30);
    expect(() => mergeRuns(folders, out)).toThrow('already holds records');
  });

  it('must be complete and belong to one run', async () => {
    const [first, second] = [(await shardRun(0, 3)).folder, (await shardRun(1, 3)).folder];
    expect(() => mergeRuns([first, second], temporary())).toThrow('missing: 2/3');
    expect(() => mergeRuns([first, first, second], temporary())).toThrow('missing: 2/3');
    const other = (await shardRun(2, 3, { seed: 5 })).folder;
    expect(() => mergeRuns([first, second, other], temporary())).toThrow('do not belong together');
    expect(() => mergeRuns([], temporary())).toThrow('no runs to merge');
  });

  it('merge into a run that resumes like an unsharded one', async () => {
    const folders = [(await shardRun(0, 2)).folder, (await shardRun(1, 2)).folder];
    const { folder, settings } = mergeRuns(folders, temporary());
    expect(settings.questions).toEqual((await runEvaluation(options())).settings.questions);
    const { records } = await runEvaluation(options({ out: folder, methods: [uniform], budgets: ['4'] }));
    expect(records).toHaveLength(6 * 6);
  });

  it('must be finished', async () => {
    const [first, second] = [(await shardRun(0, 2)).folder, (await shardRun(1, 2)).folder];
    const lines = linesOf(second);
    const keep = (count: number) =>
      writeFileSync(
        join(second, 'records.jsonl'),
        lines.slice(0, count).join('\n') + '\n'.repeat(Number(count > 0)),
      );
    keep(14);
    expect(() => mergeRuns([first, second], temporary())).toThrow(
      expect.objectContaining({
        code: 'MMTOK_EVAL_RUN',
        message: expect.stringMatching(/not finished: 2 of 3 questions/),
      }),
    );
    keep(0);
    expect(() => mergeRuns([first, second], temporary())).toThrow('not finished: 0 of 3 questions');
    keep(5);
    forgetQuestions(second);
    const { settings, records } = mergeRuns([first, second], temporary());
    expect(settings.questions).toBeUndefined();
    expect(records).toHaveLength(3 * 5 + 5);
  });

  it('may have different methods and budgets, all of which the merged run has', async () => {
    const first = await shardRun(0, 2, { methods: [random, uniform], budgets: ['4'] });
    const second = await shardRun(1, 2, { methods: [mmtok, random], budgets: ['2', '4'] });
    const { settings } = mergeRuns([first.folder, second.folder], temporary());
    expect(settings.methods.map(({ name }) => name)).toEqual(['random', 'uniform', 'mmtok']);
    expect(settings.budgets).toEqual(['4', '2']);
  });

  it('must be chosen the same way: with a seed, or without', async () => {
    const first = (await shardRun(0, 2, { limit: 4 })).folder;
    const second = (await shardRun(1, 2, { limit: 4, seed: 0 })).folder;
    expect(() => mergeRuns([first, second], temporary())).toThrow('with a seed');
  });
});
