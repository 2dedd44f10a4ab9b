// A run of ten questions, for tests of reports.

import { temporary } from '../../../vitest.temporary.js';
import type { EvalRecord, RunResult } from '../src/index.js';
import { onePixel } from './one-pixel.js';

/** A temporary folder, removed after the tests of the file. */
export const folder = temporary();
const image = onePixel(folder);

/** A record of the run: one question, asked in one way. */
export function record(
  id: string,
  method: string,
  budget: string,
  value: number,
  more: Partial<EvalRecord> = {},
): EvalRecord {
  const keptTokens = budget === 'all' ? 16 : Number(budget);
  return {
    id,
    method,
    budget,
    kind: id < 'q5' ? 'color' : 'shape',
    image,
    question: 'Is <this> "red"?',
    target: 'yes',
    answer: value > 0 ? 'yes' : 'no',
    score: { value },
    visionTokens: 16,
    keptTokens,
    ...(budget !== 'all' && {
      indices: Array.from({ length: keptTokens }, (_, token) => token),
      grid: [4, 4],
    }),
    encodeMs: budget === 'all' ? 10 : 0,
    selectMs: method === 'mmtok' ? 2 : 0,
    prefillMs: keptTokens,
    decodeMs: 1,
    ...more,
  };
}

/** Ten questions. */
export const ids = Array.from({ length: 10 }, (_, at) => `q${at}`);

/** With all tokens, 8 of 10 answers are correct. MMTok gets 4 of these right, and one of the others; random gets 6. */
export const run: RunResult = {
  folder,
  settings: {
    task: 'fake',
    title: 'Fake',
    model: 'a <model>',
    backend: 'reference (cpu)',
    methods: [
      { name: 'mmtok', title: 'MMTok', source: 'https://arxiv.org/abs/2508.18264' },
      { name: 'random', title: 'Random', source: 'x' },
    ],
    budgets: ['8', '4'],
    seed: 0,
    machine: 'a machine',
    started: '2026-01-01T00:00:00.000Z',
    command: 'mmtok eval fake',
  },
  records: ids.flatMap((id, at) => [
    record(id, 'all', 'all', at < 8 ? 1 : 0),
    record(id, 'mmtok', '8', at < 4 || at === 9 ? 1 : 0),
    record(id, 'random', '8', at < 6 ? 1 : 0),
    record(id, 'mmtok', '4', at < 2 ? 1 : 0),
  ]),
};
