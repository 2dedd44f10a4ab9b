import { expect, it } from 'vitest';
import { fakeAnswer } from '../../test/fake-services.js';
import { answerBoth, medianTimes } from './both-answers.js';
import type { Request } from './vlm.js';

const request = { images: [{ data: new Uint8Array(3), width: 1, height: 1 }], question: 'What is it?' };

it('alternates, and reports the median times of both', async () => {
  const budgets: Request['budget'][] = [];
  const encodeMs = [900, 5, 6, 4, 7, 3];
  const both = await answerBoth(
    {
      ask: async (asked) => {
        budgets.push(asked.budget);
        const answer = fakeAnswer(asked);
        return {
          ...answer,
          timings: { ...answer.timings, encodeMs: encodeMs[budgets.length - 1] as number },
        };
      },
    },
    request,
    { tokens: 2 },
  );
  expect(budgets).toEqual(['all', { tokens: 2 }, 'all', { tokens: 2 }, 'all', { tokens: 2 }]);
  expect(both.runs).toBe(3);
  // The first run of the process, 900 ms, does not count.
  expect(both.whole.timings.encodeMs).toBe(7);
  expect(both.pruned.timings.encodeMs).toBe(4);
  expect([both.whole.keptTokens, both.pruned.keptTokens]).toEqual([16, 2]);
});

it('asks a slow model once each way', async () => {
  const { performance } = globalThis;
  const real = performance.now;
  let now = 0;
  performance.now = () => now;
  try {
    const ask = async (asked: Request) => {
      now += 4000;
      return fakeAnswer(asked);
    };
    expect((await answerBoth({ ask }, request, { tokens: 2 })).runs).toBe(1);
  } finally {
    performance.now = real;
  }
});

it('takes the lower of two times', () => {
  const { timings } = fakeAnswer({ ...request, budget: 'all' });
  const slower = { ...timings, encodeMs: 1000 };
  expect(medianTimes([slower, timings]).encodeMs).toBe(timings.encodeMs);
});
