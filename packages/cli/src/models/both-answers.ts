// Answers one question with all vision tokens and with some of them, and times both fairly.

import type { Budget } from '@mmtok/core';
import type { Answer, Request, Timings, Vlm } from './vlm.js';

/** Two answers to one question, each with the median times of its runs. */
export interface BothAnswers {
  /** With all vision tokens. */
  readonly whole: Answer;
  readonly pruned: Answer;
  /** How often each was given. */
  readonly runs: number;
}

/** Runs each way, unless they take too long. */
const RUNS = 3;

/** After this many milliseconds, no further run starts: a large model answers once each way. */
const PATIENCE_MS = 5000;

/**
 * Answers alternately with all tokens and with `budget`, so that background load affects both equally. The median of three runs
 * also ignores a first run, in which the engine allocates memory and compiles.
 */
export async function answerBoth(
  vlm: Pick<Vlm, 'ask'>,
  request: Omit<Request, 'budget' | 'onText'>,
  budget: Budget,
): Promise<BothAnswers> {
  const started = performance.now();
  const whole: Answer[] = [];
  const pruned: Answer[] = [];
  do {
    whole.push(await vlm.ask({ ...request, budget: 'all' }));
    pruned.push(await vlm.ask({ ...request, budget }));
  } while (whole.length < RUNS && performance.now() - started < PATIENCE_MS);
  return { whole: withMedianTimes(whole), pruned: withMedianTimes(pruned), runs: whole.length };
}

/** The answer, which is the same in all runs, with median times. */
function withMedianTimes(runs: readonly Answer[]): Answer {
  return { ...(runs[0] as Answer), timings: medianTimes(runs.map(({ timings }) => timings)) };
}

/** The median of each phase; of an even number of runs, the lower one, because interruptions only add time. */
export function medianTimes(all: readonly Timings[]): Timings {
  const [first] = all as readonly [Timings];
  const phases = Object.keys(first) as (keyof Timings)[];
  const middle = Math.floor((all.length - 1) / 2);
  return Object.fromEntries(
    phases.map((phase) => [phase, all.map((one) => one[phase]).sort((a, b) => a - b)[middle] as number]),
  ) as unknown as Timings;
}
