import { describe, expect, it, vi } from 'vitest';
import { fakeIo } from '../../test/fake-io.js';
import { explainFailure, UsageError } from '../errors.js';
import { colorsFor, createStatusLine, print, printJson } from './io.js';
import { formatBytes, formatMs, formatShare, renderTable, safeText, wrapColumns } from './text.js';

describe('safeText', () => {
  it('makes control characters visible, except line breaks, tabs, and our own colors', () => {
    expect(safeText('\u001b[2J\u001b]0;title\u0007x\r\u009b31m\u007f\u0000')).toBe(
      '␛[2J␛]0;title␇x␍\\u009b31m␡␀',
    );
    expect(safeText('\u001b[8mhidden')).toBe('␛[8mhidden');
    expect(safeText('a\u202egpj.exe')).toBe('a\\u202egpj.exe');
    const own = 'one\n\ttwo \u001b[32m✓\u001b[39m \u001b[1mé\u001b[22m 字';
    expect(safeText(own)).toBe(own);
  });

  it('applies to everything commands print, and JSON needs none of it', () => {
    const io = fakeIo({ terminal: 80 });
    print(io.stdout, '\u001b[2J');
    createStatusLine(io.stderr).show('\u001b[2J\u0007');
    printJson(io.stdout, { a: '\u001b[2J\u009b2J\u2028' });
    expect(io.out()).toBe('␛[2J\n{"a":"\\u001b[2J\\u009b2J\\u2028"}\n');
    expect(JSON.parse(io.out().split('\n')[1] as string)).toEqual({ a: '\u001b[2J\u009b2J\u2028' });
    expect(io.err()).toBe('\r\u001b[2K␛[2J␇');
  });
});

describe('a megabyte of any shape', () => {
  // Quadratic work on a megabyte would run into the test's timeout.
  it.each(['a', ' ', '\n', ' \n', '\u001b', 'a ', '字', "'"])('of %j is printed in linear time', (piece) => {
    const text = `x${piece.repeat(1_000_000 / piece.length)}y`;
    safeText(text);
    wrapColumns(text, 80);
    renderTable([{ title: 'a', flexible: true }], [[text]], 80);
    createStatusLine(fakeIo({ terminal: 80 }).stderr).show(text);
    expect(explainFailure(new UsageError(text), false).message?.length).toBeLessThan(3000);
    expect(explainFailure(new Error(text), false).message?.length).toBeLessThan(3000);
  });
});

describe('wrapColumns', () => {
  it('breaks between words, and within a word only if necessary', () => {
    expect(wrapColumns('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapColumns('a unbreakable b', 5)).toEqual(['a unb', 'reaka', 'ble b']);
    expect(wrapColumns('  ', 5)).toEqual(['']);
  });
});

describe('renderTable', () => {
  const columns = [
    { title: 'question', flexible: true },
    { title: 'ms', align: 'right' },
  ] as const;

  it('aligns, ignoring colors', () => {
    const rows = [
      ['short', '\u001b[32m7\u001b[39m'],
      ['longer one', '123'],
    ];
    expect(renderTable(columns, rows, 80)).toEqual([
      'question     ms',
      '───────────────',
      'short         \u001b[32m7\u001b[39m',
      'longer one  123',
    ]);
  });

  it('counts the cells that a terminal needs', () => {
    const rows = [
      ['日本', '1'],
      ['e\u0301', '2'],
      ['👩‍👩‍👧', '3'],
    ];
    const lines = renderTable([{ title: 'text' }, { title: 'n' }], rows, 80).slice(2);
    expect(lines).toEqual(['日本  1', 'e\u0301     2', '👩‍👩‍👧    3']);
  });

  it('wraps the flexible column to the width', () => {
    const lines = renderTable(columns, [['a question of many words', '7']], 24);
    expect(lines.slice(2)).toEqual(['a question of many     7', 'words']);
    expect(Math.max(...lines.map((line) => line.length))).toBe(24);
  });

  it('wraps a column with its own width, colored or not', () => {
    const limited = [{ title: 'answer', maxWidth: 10 }, { title: 'ms' }];
    const green = '\u001b[32m✓\u001b[39m';
    expect(renderTable(limited, [[`red objects on gray ${green}`, '7']], 80).slice(2)).toEqual([
      'red         7',
      'objects on',
      `gray ${green}`,
    ]);
  });
});

describe('createStatusLine', () => {
  it('is silent without a terminal', () => {
    const io = fakeIo();
    const status = createStatusLine(io.stderr);
    status.show('working');
    status.clear();
    expect(io.err()).toBe('');
  });

  it('shows one line, cut to the width, and removes it', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const io = fakeIo({ terminal: 10 });
    const status = createStatusLine(io.stderr);
    status.show('a text that is too long');
    status.show('too soon after');
    vi.advanceTimersByTime(100);
    status.show('next');
    status.clear();
    status.clear();
    expect(io.err().split('\r\u001b[2K')).toEqual(['', 'a text th', 'next', '']);
    vi.useRealTimers();
  });
});

describe('colorsFor', () => {
  const terminal = { write: () => undefined, isTTY: true };
  it('returns colors for terminals unless NO_COLOR is set, and anywhere with FORCE_COLOR', () => {
    expect(colorsFor(terminal, {}).isColorSupported).toBe(true);
    expect(colorsFor(terminal, { NO_COLOR: '1' }).isColorSupported).toBe(false);
    expect(colorsFor({ write: terminal.write }, {}).isColorSupported).toBe(false);
    expect(colorsFor({ write: terminal.write }, { FORCE_COLOR: '1' }).isColorSupported).toBe(true);
  });
});

it('formats numbers', () => {
  expect([0.04, 7.24, 9.96, 38.4, 1204].map(formatMs)).toEqual(['0.0', '7.2', '10', '38', '1 204']);
  expect(formatShare(0.0977)).toBe('9.8 %');
  expect([7_500, 7_500_000, 1_234_000_000].map(formatBytes)).toEqual(['8 kB', '7.5 MB', '1.23 GB']);
});
