// Text for a terminal: control characters made visible, long text shortened, numbers formatted.

import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Bold, dim, red, green, yellow, cyan, and their resets, as picocolors writes them. */
const COLORS = '\\u001b\\[(?:1|2|22|31|32|33|36|39)m';
/** Control characters except tab and line break, marks that reverse text, and line separators. */
const CONTROL = '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]';
const UNSAFE: RegExp = new RegExp(`${COLORS}|${CONTROL}`, 'g');
const CONTROL_PICTURES = 0x2400;
const LONGEST_NAME = 80;

/** The text with control characters made visible: `␛` for escape, `\\u009b` for those without a symbol. */
export function safeText(text: string): string {
  return text.replace(UNSAFE, (found) => {
    if (found.length > 1) return found;
    const code = found.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
    return code === 0x7f ? '␡' : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** JSON on one line without characters that affect a terminal; it parses to the same value. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A name or value from a file, quoted and shortened for a message. */
export function quote(name: string): string {
  return `'${shorten(name, LONGEST_NAME)}'`;
}

/** The text, or its beginning and its length if it is longer than `most` characters. */
export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}

/** Milliseconds without needless digits: `0.4`, `7.2`, `38`, `1 204`. */
export function formatMs(ms: number): string {
  if (ms < 9.95) return ms.toFixed(1);
  return groupDigits(Math.round(ms));
}

/** A share as a percentage: `9.8 %`. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Bytes in decimal units: `7.5 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}

// Tables and paragraphs. Widths are those of the terminal's cells: colors take none, CJK and emoji take two.

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
