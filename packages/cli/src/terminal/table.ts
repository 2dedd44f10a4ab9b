// Tables and paragraphs for the terminal. Widths are those of the terminal's cells: colors take none, CJK and emoji take two.

import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { safeText, shorten } from './text.js';

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Takes the width that the other columns leave, and wraps. At most one column. */
  readonly flexible?: boolean;
  /** Wraps beyond this width, but is at least as wide as its title. @default never */
  readonly maxWidth?: number;
}

const GAP = '  ';
const MIN_FLEXIBLE = 16;

/** The lines of a table: titles, a rule, rows. No line exceeds `width` unless the fixed columns alone do. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const titles = columns.map(({ title }) => title);
  const cells = rows.map((row) => columns.map((_, c) => flat(row[c] ?? '')));
  const natural = columns.map(({ title, maxWidth = Number.POSITIVE_INFINITY }, c) =>
    Math.min(
      Math.max(maxWidth, stringWidth(title)),
      Math.max(...[titles, ...cells].map((row) => stringWidth(row[c] ?? ''))),
    ),
  );
  const fixed = natural.reduce((sum, each, c) => sum + (columns[c]?.flexible ? 0 : each), 0);
  const left = width - fixed - GAP.length * (columns.length - 1);
  const widths = natural.map((each, c) =>
    columns[c]?.flexible ? Math.min(each, Math.max(left, MIN_FLEXIBLE)) : each,
  );

  const pad = (cell: string, c: number): string => {
    const space = ' '.repeat(Math.max(0, (widths[c] as number) - stringWidth(cell)));
    return columns[c]?.align === 'right' ? space + cell : cell + space;
  };
  const layOut = (row: readonly string[]): string[] => {
    const wrapped = row.map((cell, c) => {
      const { flexible, maxWidth } = columns[c] ?? {};
      const wraps = flexible || maxWidth !== undefined;
      return wraps ? wrapAnsi(cell, widths[c] as number, { hard: true }).split('\n') : [cell];
    });
    const height = Math.max(...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      wrapped
        .map((lines, c) => pad(lines[line] ?? '', c))
        .join(GAP)
        .trimEnd(),
    );
  };
  const rule = widths.map((each) => '─'.repeat(each)).join('──');
  return [...layOut(titles), rule, ...cells.flatMap(layOut)];
}

/** Breaks text into lines of at most `width` cells: between words, and within words that are longer than a line. */
export function wrapColumns(text: string, width: number): string[] {
  return wrapAnsi(flat(text), Math.max(1, width), { hard: true }).split('\n');
}

/** Measuring a character that is not ASCII takes microseconds, so a megabyte of them would take a minute. */
const LONGEST = 5_000;

/** Text on one line with control characters made visible, as it will be printed. */
function flat(text: string): string {
  // Other spaces, such as those within numbers, stay.
  const safe = safeText(text.trim().replace(/[ \t\r\n]+/g, ' '));
  return /^[ -~]*$/.test(safe) ? safe : shorten(safe, LONGEST);
}
