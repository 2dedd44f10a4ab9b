// Budgets: every accepted form, everything that is rejected with an InvalidBudgetError, and the number of tokens each means.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidBudgetError } from '../errors.js';
import { type Budget, checkBudget, parseBudget, resolveBudget } from './options.js';

const bad: readonly unknown[] = [
  undefined,
  null,
  64,
  '64',
  [],
  {},
  { tokens: 0 },
  { tokens: -1 },
  { tokens: 1.5 },
  { tokens: Number.NaN },
  { tokens: Number.POSITIVE_INFINITY },
  { tokens: '64' },
  { tokens: 64n },
  { tokens: 2 ** 60 },
  { ratio: 0 },
  { ratio: -0.1 },
  { ratio: 1.0001 },
  { ratio: Number.NaN },
  { ratio: '0.5' },
  { coverage: 0 },
  { coverage: 1.1 },
  { coverage: -1 },
  { coverage: Number.NaN },
  { coverage: null },
  { tokens: 64, ratio: 0.5 },
  { tokens: 64, unknown: 1 },
  { min: 1, max: 2 },
  { tokens: 64, min: 0 },
  { tokens: 64, max: 0 },
  { ratio: 0.5, min: 1.5 },
  { ratio: 0.5, max: -3 },
  { ratio: 0.5, min: 8, max: 7 },
  { coverage: 0.5, min: 8, max: 7 },
];

describe('checkBudget', () => {
  it.each<Budget>([
    { tokens: 1 },
    { tokens: 576 },
    { ratio: 1 },
    { ratio: 1e-9 },
    { coverage: 1 },
    { coverage: 0.95, min: 4, max: 64 },
    { ratio: 0.5, min: 7, max: 7 },
    { tokens: 5, max: 3 },
  ])('takes %o', (budget) => {
    expect(checkBudget(budget)).toEqual(budget);
  });

  it.each(bad.map((budget) => [budget]))('rejects %o', (budget) => {
    expect(() => checkBudget(budget)).toThrow(InvalidBudgetError);
  });

  it('names the value that was given', () => {
    expect(() => checkBudget({ tokens: 0 })).toThrow('got {"tokens":0}; expected { tokens }');
    expect(() => checkBudget({ tokens: Number.NaN })).toThrow('NaN');
    expect(() => checkBudget({ ratio: Number.POSITIVE_INFINITY })).toThrow('Infinity');
    expect(() => checkBudget({ ratio: 0.5, min: 8, max: 7 })).toThrow('min 8 is above max 7');
    expect(() => checkBudget(undefined)).toThrow('got undefined');
  });
});

describe('resolveBudget', () => {
  it.each<[Budget, number, number, number]>([
    [{ tokens: 64 }, 576, 64, 64],
    [{ tokens: 64 }, 10, 64, 64],
    [{ tokens: 64, max: 32 }, 576, 32, 32],
    [{ tokens: 8, min: 32 }, 576, 32, 32],
    [{ ratio: 0.1 }, 576, 57, 57],
    [{ ratio: 0.29 }, 100, 29, 29],
    [{ ratio: 0.07 }, 100, 7, 7],
    [{ ratio: 1 }, 576, 576, 576],
    [{ ratio: 0.5 }, 1, 1, 1],
    [{ ratio: 0.001 }, 10, 1, 1],
    [{ ratio: 0.1, min: 64 }, 576, 64, 64],
    [{ ratio: 0.9, max: 64 }, 576, 64, 64],
    [{ coverage: 0.9 }, 576, 576, 1],
    [{ coverage: 0.9, min: 4 }, 576, 576, 4],
    [{ coverage: 0.9, max: 64 }, 576, 64, 1],
    [{ coverage: 0.9, min: 4, max: 64 }, 576, 64, 4],
  ])('%o of %d candidates: at most %d, at least %d', (budget, candidates, max, min) => {
    const target = 'coverage' in budget ? budget.coverage : undefined;
    expect(resolveBudget(budget, candidates)).toEqual({ max, min, target });
  });

  it('rounds every whole percentage to the intended number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), (n, pick) => {
        const k = 1 + (pick % n);
        expect(resolveBudget({ ratio: k / n }, n).max).toBe(k);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('parseBudget', () => {
  it.each<[string, Budget]>([
    ['64', { tokens: 64 }],
    [' 64 ', { tokens: 64 }],
    ['064', { tokens: 64 }],
    ['10%', { ratio: 0.1 }],
    ['100%', { ratio: 1 }],
    ['12.5%', { ratio: 0.125 }],
    ['.5%', { ratio: 0.005 }],
    ['c0.95', { coverage: 0.95 }],
    ['c.95', { coverage: 0.95 }],
    ['c1', { coverage: 1 }],
  ])('%j', (text, budget) => {
    expect(parseBudget(text)).toEqual(budget);
  });

  it.each([
    '',
    ' ',
    '0',
    '-1',
    '+5',
    '1.5',
    '1e3',
    '0x10',
    '64 tokens',
    '0%',
    '101%',
    '-10%',
    '%',
    '10 %',
    '1.%',
    'c',
    'c0',
    'c1.5',
    'c-0.5',
    'C0.9',
    'c 0.9',
    '0.5c',
    '٣',
    'NaN',
    'Infinity',
    '99999999999999999999',
  ])('rejects %j', (text) => {
    expect(() => parseBudget(text)).toThrow(InvalidBudgetError);
  });

  it('parses every number of tokens and percentage', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 100 }), (tokens, percent) => {
        expect(parseBudget(`${tokens}`)).toEqual({ tokens });
        expect(parseBudget(`${percent}%`)).toEqual({ ratio: percent / 100 });
        expect(parseBudget(`c${percent / 100}`)).toEqual({ coverage: percent / 100 });
      }),
      { numRuns: 200 },
    );
  });
});
