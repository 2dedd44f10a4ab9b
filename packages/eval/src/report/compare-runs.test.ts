import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReferenceBackend } from '@mmtok/core';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { fakeModel, fakeTask } from '../../test/fake-run.js';
import { type EvalModel, type RunOptions, type RunResult, runEvaluation } from '../index.js';
import { mmtok, random, uniform } from '../methods/index.js';
import { compareRuns, verdictOf, writeComparison } from './compare-runs.js';

const run = (more: Partial<RunOptions> = {}): Promise<RunResult> =>
  runEvaluation({
    task: fakeTask(12),
    model: fakeModel().model,
    methods: [mmtok, random],
    budgets: ['4'],
    backend: createReferenceBackend(),
    out: temporary(),
    ...more,
  });
/** A model that is wrong on half of the questions that the other one answers correctly. */
const forgetful = (): EvalModel => {
  const { model } = fakeModel();
  return {
    ...model,
    name: 'forgetful <model>',
    async answer(request) {
      const answer = await model.answer(request);
      return /[02468]\?$/.test(request.prompt) ? { ...answer, text: 'no' } : answer;
    },
  };
};

describe('two runs', () => {
  it('that are equal have no differences', async () => {
    const { rows, questions, onlyIn, unpaired } = compareRuns(await run(), await run());
    expect({ questions, onlyIn, unpaired }).toEqual({ questions: 12, onlyIn: [0, 0], unpaired: [] });
    expect(rows.map(({ method, budgets }) => [method, ...budgets])).toEqual([
      ['all', 'all', 'all'],
      ['mmtok', '4', '4'],
      ['random', '4', '4'],
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({ won: 0, lost: 0, difference: { value: 0, low: 0, high: 0 } });
      expect(verdictOf(row)).toBe('within chance');
    }
  });

  it('of two models are compared question by question', async () => {
    const [all] = compareRuns(await run(), await run({ model: forgetful() })).rows;
    expect(all).toMatchObject({ scores: [1, 0.5], won: 0, lost: 6, questions: 12, keptTokens: [16, 16] });
    expect(all?.difference.value).toBeCloseTo(-0.5);
    expect(all?.difference.high).toBeLessThan(0);
    expect(verdictOf(all!)).toBe('lower');
    const [back] = compareRuns(await run({ model: forgetful() }), await run()).rows;
    expect(verdictOf(back!)).toBe('higher');
  });

  it('of two budgets are paired by method', async () => {
    const { rows, unpaired } = compareRuns(
      await run(),
      await run({ budgets: ['8'], methods: [mmtok, uniform] }),
    );
    const row = rows.find(({ method }) => method === 'mmtok');
    expect(row).toMatchObject({ budgets: ['4', '8'], keptTokens: [4, 8] });
    expect(unpaired).toEqual(['random at 4', 'uniform at 8']);
  });

  it('are compared on their common questions', async () => {
    const { questions, onlyIn, rows } = compareRuns(await run(), await run({ task: fakeTask(7) }));
    expect({ questions, onlyIn }).toEqual({ questions: 7, onlyIn: [5, 0] });
    expect(rows[0]?.questions).toBe(7);
  });

  it('must have the same task and questions', async () => {
    const one = await run();
    const other = { ...one, settings: { ...one.settings, task: 'pope' } };
    expect(() => compareRuns(one, other)).toThrow('compare runs of one task');
    const renamed = { ...one, records: one.records.map((record) => ({ ...record, question: 'Who?' })) };
    expect(() => compareRuns(one, renamed)).toThrow("Question 'question-0' differs");
    const moved = { ...one, records: one.records.map((record) => ({ ...record, id: `${record.id}x` })) };
    expect(() => compareRuns(one, moved)).toThrow('no question in common');
  });

  it('are written as a page with a plot, and as Markdown', async () => {
    const comparison = compareRuns(await run(), await run({ model: forgetful() }));
    const [page, markdown] = (await writeComparison(comparison, join(temporary(), 'new'))) as [
      string,
      string,
    ];
    const html = readFileSync(page, 'utf8');
    const { document } = parseHTML(html);
    expect(document.querySelectorAll('svg circle')).toHaveLength(3);
    expect(document.querySelectorAll('tbody tr')).toHaveLength(3);
    expect(document.querySelector('script')).toBeNull();
    expect(html).toContain('forgetful &lt;model&gt;');
    const text = readFileSync(markdown, 'utf8');
    expect(text).toMatch(/^\| all tokens \| \| 12 \| 16 \| 16 \| 100\.0 \| 50\.0 \| -50\.0 \|.* lower \|$/m);
    expect(text).toContain('forgetful &lt;model&gt;');
  });
});
