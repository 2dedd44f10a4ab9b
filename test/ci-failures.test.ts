// What .ci/run repeats above its summary: the names and errors of failed tests, or the end of a log.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './workspace.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmtok-ci-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, ...given: readonly string[]): string =>
  execFileSync(process.execPath, [join(root, 'scripts', name), ...given], { cwd: root, encoding: 'utf8' });
const write = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** A report in which some tests failed, two passed, one was skipped, and a file could not be loaded. */
const reportOf = (failed: number): string => {
  const fullName = (at: number): string => `the page counts rows ${at}`;
  const place = `    at ${root}/test/page.test.ts:12:3`;
  const failures = Array.from({ length: failed }, (_, at) => ({
    status: 'failed',
    fullName: fullName(at),
    failureMessages: [`AssertionError: expected 0 to be 24\n    at node_modules/expect.js:1:1\n${place}`],
  }));
  const others = ['passed', 'passed', 'pending'].map((status) => ({ status, fullName: 'x' }));
  const testResults = [
    { name: `${root}/test/page.test.ts`, status: 'failed', assertionResults: [...failures, ...others] },
    { name: `${root}/test/broken.test.ts`, status: 'failed', message: 'no module', assertionResults: [] },
  ];
  return write('report.json', JSON.stringify({ testResults }));
};

describe('failed tests', () => {
  test('are named with their errors and places', () => {
    expect(script('show-failures.mjs', 'browser', 'none.log', reportOf(1)).split('\n')).toEqual([
      'browser:',
      '  test/page.test.ts > the page counts rows 0',
      '    AssertionError: expected 0 to be 24',
      '    at test/page.test.ts:12:3',
      '  test/broken.test.ts',
      '    no module',
      '',
    ]);
  });

  test('are cut if there are many', () => {
    const lines = script('show-failures.mjs', 'browser', 'none.log', reportOf(40)).trim().split('\n');
    expect(lines.length).toBeLessThan(60);
    expect(lines.at(-1)).toBe('  … and 26 more');
  });

  test('are counted, and an error outside of all tests counts as one', () => {
    expect(script('count-tests.mjs', reportOf(3), '1')).toBe('2 4 1\n');
    expect(script('count-tests.mjs', join(folder, 'none.json'), '1')).toBe('0 1 0\n');
    expect(script('count-tests.mjs', join(folder, 'none.json'), '0')).toBe('0 0 0\n');
  });
});

describe('a stage without failed tests', () => {
  const shown = (log: string): readonly string[] =>
    script('show-failures.mjs', 'stage', write('stage.log', log)).trim().split('\n').slice(1);

  test('shows the end of its log', () => {
    const log = Array.from({ length: 40 }, (_, at) => `line ${at}\n\n`).join('');
    expect(shown(log)).toEqual(Array.from({ length: 15 }, (_, at) => `  line ${at + 25}`));
  });

  test('shows what pytest says of its failures', () => {
    expect(shown('..F\nFAILED tests/a.py::b - assert 1 == 2\n1 failed\n')).toEqual([
      '  FAILED tests/a.py::b - assert 1 == 2',
    ]);
  });

  test('shows errors outside of all tests, and not only that there were some', () => {
    const log = ['ok', '⎯ Unhandled Errors ⎯', 'Error: gone', ...Array(30).fill('at x')].join('\n');
    expect(shown(log).slice(0, 2)).toEqual(['  ⎯ Unhandled Errors ⎯', '  Error: gone']);
  });
});
