import type { RunProgress } from '@mmtok/eval';
import { describe, expect, it } from 'vitest';
import { createEvalProgress } from './run.js';

const at = (elapsedMs: number): RunProgress => ({
  done: 3,
  total: 40,
  elapsedMs,
  leftMs: 125_000,
  method: 'mmtok',
  budget: '64',
});

function written(isTTY: boolean, times: readonly number[]): string[] {
  const texts: string[] = [];
  const progress = createEvalProgress({ isTTY, write: (text) => texts.push(text) });
  for (const elapsedMs of times) progress.show(at(elapsedMs));
  progress.clear();
  return texts;
}

describe('progress of an evaluation', () => {
  it('is a line now and then in the log of a machine', () => {
    const line = '3 of 40 answers, 2 min left – mmtok at 64\n';
    expect(written(false, [10, 59_000, 60_000, 61_000, 125_000])).toEqual([line, line]);
  });

  it('is a line that vanishes where a person is looking', () => {
    const [shown, cleared, ...more] = written(true, [10]);
    expect(shown).toContain('3 of 40 answers, 2 min left');
    expect(shown).not.toContain('\n');
    expect(cleared).toBe('\r\u001b[2K');
    expect(more).toEqual([]);
  });
});
