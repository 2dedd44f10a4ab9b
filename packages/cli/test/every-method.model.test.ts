// Every method at the edges of a budget, on the smaller embedded model: it keeps 1, n − 1 and n of n tokens, and with n tokens or
// more, answers are exactly those of the unpruned model.

import { join } from 'node:path';
import { builtInMethods, readRun } from '@mmtok/eval';
import { expect, it } from 'vitest';
import { temporary } from '../../../vitest.temporary.js';
import { main } from '../src/main.js';
import { fakeIo } from './fake-io.js';

const QUESTIONS = 9;
const TOKENS = 64;

/** All methods that choose among the tokens, without an agent. */
const names = builtInMethods
  .filter(({ agent, resizes }) => agent === undefined && resizes !== true)
  .map(({ name }) => name);

it('every method keeps 1, n − 1 and n tokens, and changes no answer with n and n + 1', async () => {
  const io = fakeIo({ cwd: temporary() });
  const budgets = [1, TOKENS - 1, TOKENS, TOKENS + 1];
  const options = { model: 'tiny-small', methods: names, keep: budgets, limit: QUESTIONS, out: 'run' };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // Budgets that prune nothing are an error of the command, after all questions.
  expect(await main(['eval', 'shapes', ...flags], io)).toBe(1);
  expect(io.err()).toContain('Nothing was pruned at 64, 65');
  const { records } = readRun(join(io.cwd, 'run'));
  expect(records).toHaveLength(QUESTIONS * (1 + budgets.length * names.length));
  const unpruned = new Map(
    records.filter(({ method }) => method === 'all').map((record) => [record.id, record]),
  );
  for (const { id, method, budget, keptTokens, answer, score } of records) {
    const label = `${method}, ${budget}`;
    if (method !== 'all') expect(keptTokens, label).toBe(Math.min(Number(budget), TOKENS));
    if (keptTokens < TOKENS) continue;
    expect({ answer, score }, label).toEqual({
      answer: unpruned.get(id)?.answer,
      score: unpruned.get(id)?.score,
    });
  }
});
