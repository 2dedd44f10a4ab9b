// Readers for the datasets' original text files: JSON, JSON lines, TSV, and Python list literals. Errors name file and line.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '@mmtok/core/internal';
import { CorruptFileError, MissingFileError } from '../errors.js';
import type { Row } from './table.js';

/** A row of a text file. */
export type TextRow = Omit<Row, 'index'>;

/** A row of a file with one object per line. */
export interface LineRow extends TextRow {
  /** From 1, counting empty lines. */
  readonly line: number;
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new MissingFileError(path, 'cannot be read', 'Check the path and its permissions.', { cause });
  });
  if (isUtf16(bytes)) throw new CorruptFileError(path, 'is UTF-16; save it as UTF-8');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CorruptFileError(path, 'is not UTF-8; save it as UTF-8', { cause });
  }
}

/** Whether a file starts with a UTF-16 byte-order mark or a two-byte ASCII character. JSON and TSV never start with a zero byte. */
function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return bytes.length >= 4 && ((first === 0 && bytes[2] === 0) || (second === 0 && bytes[3] === 0));
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CorruptFileError(where, `is not JSON (${messageOf(cause)})`, { cause });
  }
}

function asObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new CorruptFileError(
    where,
    `expected a JSON object, got ${Array.isArray(value) ? 'an array' : typeof value}`,
  );
}

/**
 * Reads a JSON file as one value.
 * @throws MissingFileError, CorruptFileError
 */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readText(path), path);
}

/**
 * The objects in a JSON file: an array, an array under `key`, or the values of an object, each with its key as `id`.
 * @throws MissingFileError, CorruptFileError
 */
export async function readJsonRows(path: string, key?: string): Promise<TextRow[]> {
  const content = await readJson(path);
  const list = key === undefined ? content : asObject(content, path)[key];
  const name = basename(path);
  if (Array.isArray(list))
    return list.map((value: unknown, index) => {
      const where = `${name}, entry ${index + 1}`;
      return { where, values: asObject(value, where) };
    });
  if (list === undefined) throw new CorruptFileError(path, `expected an array under '${key}', found none`);
  return Object.entries(asObject(list, path)).map(([id, value]) => {
    const where = `${name}, entry '${id}'`;
    return { where, values: { id, ...asObject(value, where) } };
  });
}

/**
 * The objects of a file with one JSON object per line. Empty lines are skipped.
 * @throws MissingFileError, CorruptFileError
 */
export async function readJsonLines(path: string): Promise<LineRow[]> {
  const lines = (await readText(path)).split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const where = `${basename(path)}, line ${index + 1}`;
    return [{ where, line: index + 1, values: asObject(parseJson(line, where), where) }];
  });
}

// A cell in double quotes may contain tabs, newlines and doubled quotes.
const CELL = /(?:"([^"]*(?:""[^"]*)*)"|((?!")[^\t\r\n]*))(\t|\r?\n|$)/y;

/** The rows of a text, with the number of the line on which each starts. */
export function parseTsv(text: string, path: string): { line: number; cells: string[] }[] {
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let line = 1;
  let start = 1;
  CELL.lastIndex = 0;
  while (CELL.lastIndex < text.length) {
    const match = CELL.exec(text);
    if (match === null)
      throw new CorruptFileError(`${path}, line ${line}`, 'has a cell with an unclosed double quote');
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    line += match[0].split('\n').length - 1;
    if (match[3] === '\t') continue;
    rows.push({ line: start, cells });
    cells = [];
    start = line;
  }
  if (cells.length > 0) rows.push({ line: start, cells: [...cells, ''] });
  return rows;
}

/**
 * The rows of a tab-separated file whose first line names the columns.
 * @throws MissingFileError
 * @throws CorruptFileError for a row with more or fewer cells than columns.
 */
export async function readTsv(path: string): Promise<TextRow[]> {
  const [header, ...rows] = parseTsv(await readText(path), path);
  if (header === undefined)
    throw new CorruptFileError(path, 'is empty; expected a header line with column names');
  return rows.map(({ line, cells }) => {
    const where = `${basename(path)}, line ${line}`;
    if (cells.length !== header.cells.length)
      throw new CorruptFileError(where, `expected ${header.cells.length} cells, got ${cells.length}`);
    return { where, values: Object.fromEntries(header.cells.map((name, index) => [name, cells[index]])) };
  });
}

// Python list literals of strings, which is how MMMU stores its options. The `\N{name}` escape is not supported; Python's repr
// never produces it.

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\n': '',
};
// One escape: octal, \x41, \u00e9, \U0001f600, or one character.
const ESCAPE = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^xuUN0-7]))/gu;
const STRING = /'((?:[^'\\\n]|\\[^N])*)'|"((?:[^"\\\n]|\\[^N])*)"/y;
const SPACE = /\s*/y;

function withoutEscapes(body: string): string {
  return body.replace(ESCAPE, (whole, octal?: string, ...rest: (string | undefined)[]) => {
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    const hex = rest[0] ?? rest[1] ?? rest[2];
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    const character = rest[3]!;
    if (character in ESCAPES) return ESCAPES[character]!;
    return `'"\\`.includes(character) ? character : whole;
  });
}

/** The strings of a literal such as `['a', "it's"]`, or `null` if `literal` is anything else. */
export function parsePythonList(literal: string): string[] | null {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(literal);
    if (match !== null) at += match[0].length;
    return match;
  };
  const takeMark = (mark: string): boolean => {
    take(SPACE);
    if (literal[at] !== mark) return false;
    at++;
    take(SPACE);
    return true;
  };
  // Adjacent strings are concatenated.
  const takeItem = (): string | null => {
    let item: string | null = null;
    for (let match = take(STRING); match !== null; match = take(STRING)) {
      item = (item ?? '') + withoutEscapes(match[1] ?? match[2] ?? '');
      take(SPACE);
    }
    return item;
  };

  if (!takeMark('[')) return null;
  const items: string[] = [];
  while (!takeMark(']')) {
    const item = takeItem();
    if (item === null) return null;
    items.push(item);
    if (!takeMark(',') && literal[at] !== ']') return null;
  }
  return at === literal.length ? items : null;
}
