import { describe, expect, it } from 'vitest';
import type { RunSummary } from './summarize-run.js';
import { equalTimeTable, scoreAt } from './tables.js';

describe('a smaller image at the same time to first token', () => {
  const curve = [
    { firstTokenMs: 10, score: 0.2 },
    { firstTokenMs: 20, score: 0.6 },
    { firstTokenMs: 40, score: 0.8 },
  ];

  it.each([
    [10, 0.2],
    [15, 0.4],
    [30, 0.7],
    [40, 0.8],
    [9, undefined],
    [41, undefined],
  ])('in %i ms scores %j', (ms, score) => {
    if (score === undefined) expect(scoreAt(curve, ms)).toBeUndefined();
    else expect(scoreAt(curve, ms)).toBeCloseTo(score, 12);
  });

  const row = (method: string, firstTokenMs: number, score: number) => ({
    ...{ method, title: method, budget: '4', score },
    times: { firstTokenMs },
  });
  const summary = (...rows: ReturnType<typeof row>[]): RunSummary =>
    ({
      settings: {
        methods: [
          { name: 'mmtok', title: 'MMTok', source: 'x', needs: [] },
          { name: 'resize', title: 'Smaller image', source: 'x', needs: ['resolution'] },
        ],
      },
      full: { score: 0.8, times: { firstTokenMs: 40 } },
      rows,
    }) as unknown as RunSummary;

  it('is compared with every other method', () => {
    const table = equalTimeTable(summary(row('mmtok', 25, 0.7), row('resize', 10, 0.2)));
    expect(table?.head.at(-1)).toBe('Smaller image in that time, %');
    expect(table?.rows.map(([method, , , score, other]) => [method, score, other])).toEqual([
      ['mmtok', '70.0', '50.0'],
    ]);
  });

  it('is omitted if only one of the two was measured', () => {
    expect(equalTimeTable(summary(row('mmtok', 25, 0.7)))).toBeUndefined();
    expect(equalTimeTable(summary(row('resize', 10, 0.2)))).toBeUndefined();
  });
});
