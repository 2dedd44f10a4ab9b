// A table for the terminal: aligned columns that may wrap, one of which takes what width is left. Colours are counted out.

import { stripVTControlCharacters } from 'node:util';

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Takes the width that others leave, and wraps. At most one column. */
  readonly flexible?: boolean;
  /** Wraps beyond this width; no less than the title's. @default never */
  readonly maxWidth?: number;
}

const GAP = '  ';
const MIN_FLEXIBLE = 16;

const widthOf = (cell: string): number => [...stripVTControlCharacters(cell)].length;

/** Lines of the table: titles, a rule, rows. No line is wider than `width`, unless the fixed columns alone are. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const titles = columns.map(({ title }) => title);
  const natural = columns.map(({ maxWidth = Number.POSITIVE_INFINITY }, c) =>
    Math.min(maxWidth, Math.max(...[titles, ...rows].map((row) => widthOf(row[c] ?? '')))),
  );
  const fixed = natural.reduce((sum, each, c) => sum + (columns[c]?.flexible ? 0 : each), 0);
  const left = width - fixed - GAP.length * (columns.length - 1);
  const widths = natural.map((each, c) =>
    columns[c]?.flexible ? Math.min(each, Math.max(left, MIN_FLEXIBLE)) : each,
  );

  const pad = (cell: string, c: number): string => {
    const space = ' '.repeat(Math.max(0, (widths[c] as number) - widthOf(cell)));
    return columns[c]?.align === 'right' ? space + cell : cell + space;
  };
  const layOut = (row: readonly string[]): string[] => {
    const cells = row.map((cell, c) => {
      const { flexible, maxWidth } = columns[c] ?? {};
      const isWrapped = flexible || maxWidth !== undefined;
      return isWrapped ? wrap(cell, (line) => widthOf(line) <= (widths[c] as number)) : [cell];
    });
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((lines, c) => pad(lines[line] ?? '', c))
        .join(GAP)
        .trimEnd(),
    );
  };
  const rule = widths.map((each) => '─'.repeat(each)).join('──');
  return [...layOut(titles), rule, ...rows.flatMap(layOut)];
}

/**
 * Breaks text between words so that each line fits; a word too long for a line is cut.
 * @param fits Whether a line is short enough.
 */
export function wrap(text: string, fits: (line: string) => boolean): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(/\s+/u)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = cut(word, fits);
    line = pieces.pop() ?? '';
    for (const piece of pieces) lines.push(piece);
  }
  return [...lines, line];
}

/** Cuts a word into pieces that fit, each as long as it can be; a piece has one character at least. */
function cut(word: string, fits: (line: string) => boolean): string[] {
  const characters = [...word];
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; ) {
    const isFitting = (length: number): boolean => fits(characters.slice(start, start + length).join(''));
    const rest = characters.length - start;
    let good = 1;
    while (good < rest && isFitting(Math.min(2 * good, rest))) good = Math.min(2 * good, rest);
    let bad = Math.min(2 * good, rest + 1);
    while (bad - good > 1) {
      const middle = Math.floor((good + bad) / 2);
      if (isFitting(middle)) good = middle;
      else bad = middle;
    }
    pieces.push(characters.slice(start, start + good).join(''));
    start += good;
  }
  return pieces;
}

/** Breaks text into lines of at most `width` characters. */
export function wrapColumns(text: string, width: number): string[] {
  return wrap(text, (line) => [...line].length <= width);
}
