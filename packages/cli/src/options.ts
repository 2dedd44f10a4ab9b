// Parses the values of options. Ranges are mostly checked by the function that takes the value.

import type { DataType } from '@huggingface/transformers';
import { type Budget, InvalidBudgetError, MmtokError, parseBudget } from '@mmtok/core';
import { UsageError } from './errors.js';

/** @throws UsageError for text that is not a finite number. */
export function parseNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new UsageError(`${option}: expected a number, got '${text}'.`);
  }
  return value;
}

/**
 * Reads `'4'` or `'auto'`.
 * @throws UsageError for text that is neither a finite number nor `auto`.
 */
export function parseFocus(text: string): number | 'auto' {
  if (text.trim() === 'auto') return 'auto';
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new UsageError(`--focus: expected a number such as 4, or auto, got '${text}'.`);
}

/** @throws UsageError for text that is not a whole number that a double holds exactly. */
export function parseInteger(option: string, text: string): number {
  const value = parseNumber(option, text);
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`${option}: expected a whole number, at most 2^53 - 1, got '${text}'.`);
  }
  return value;
}

/** @throws UsageError for text that is not a whole number ≥ 1 that a double holds exactly. */
export function parseCount(option: string, text: string): number {
  const value = parseNumber(option, text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(
      `${option}: expected a whole number, at least 1 and at most 2^53 - 1, got '${text}'.`,
    );
  }
  return value;
}

/**
 * Reads `'0-23,40'` as 0 … 23 and 40.
 * @throws UsageError for anything but whole numbers and ascending ranges between commas, and for too many of them.
 */
export function parseIndices(option: string, text: string): number[] {
  const indices: number[] = [];
  for (const part of text.split(',')) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last < first || !Number.isSafeInteger(last)) {
      throw new UsageError(`${option}: expected indices and ranges such as 0-23,40, got '${text}'.`);
    }
    // Counted before they are made: a range to 1e15 is a slip of the finger.
    if (indices.length + last - first + 1 > MOST_INDICES) {
      throw new UsageError(
        `${option}: expected at most ${MOST_INDICES} indices, got more with '${part.trim()}'.`,
      );
    }
    for (let index = first; index <= last; index++) indices.push(index);
  }
  return indices;
}

/** Far beyond any number of vision tokens. */
const MOST_INDICES = 1_000_000;

/**
 * Reads `'64, 10%'` as two entries.
 * @throws UsageError for empty entries, or one that is there twice.
 */
export function parseList(option: string, text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  if (entries.includes('')) throw new UsageError(`${option}: expected names between commas, got '${text}'.`);
  const twice = entries.find((entry, at) => entries.indexOf(entry) < at);
  if (twice !== undefined) throw new UsageError(`${option}: '${twice}' is there twice.`);
  return entries;
}

/**
 * Reads `'64'` tokens, `'10%'` of the tokens or `'c0.95'` of the coverage.
 * @throws InvalidBudgetError in terms of the command line.
 */
export function parseKeep(text: string): Budget {
  try {
    return parseBudget(text);
  } catch (error) {
    if (!MmtokError.isInstance(error, 'MMTOK_INVALID_BUDGET')) throw error;
    throw new InvalidBudgetError(
      `--keep ${text}; expected a number of tokens from 1 such as 64, a share above 0 % up to 100 % such as 10%, ` +
        'or a coverage above 0 up to 1 such as c0.95',
    );
  }
}

/**
 * Reads `'2/8'` as the third of eight parts: parts are counted from 0, as job indices of clusters are.
 * @throws UsageError for anything else.
 */
export function parseShard(text: string): { readonly index: number; readonly count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text.trim());
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match !== null && index < count) return { index, count };
  throw new UsageError(
    `--shard: expected a part and how many there are, from 0/8 to 7/8 for eight, got '${text}'.`,
  );
}

/** All of the library's; a record, so that the compiler finds one that is missing. */
const PRECISIONS: Readonly<Record<DataType, true>> = {
  auto: true,
  fp32: true,
  fp16: true,
  q8: true,
  int8: true,
  uint8: true,
  q4: true,
  bnb4: true,
  q4f16: true,
  q2: true,
  q2f16: true,
  q1: true,
  q1f16: true,
};

/** Files that transformers.js 4.3 makes models out of, where these take pictures and text; no model has them all. */
const PARTS: readonly string[] = [
  'vision_encoder',
  'embed_tokens',
  'decoder_model_merged',
  'encoder_model',
  'audio_encoder',
  'prepare_inputs_embeds',
  'model',
  'language_model',
  'lm_head',
  'gen_head',
  'gen_img_embeds',
  'image_decode',
];

/**
 * Reads `'q4'`, or `'vision_encoder=fp16,decoder_model_merged=q4'`.
 * @throws UsageError for anything else, with the names that there are.
 */
export function parseDtype(text: string): DataType | Readonly<Record<string, DataType>> {
  if (/^\w+$/.test(text)) return precision(text);
  const pairs = text.split(',').map((pair) => /^(\w+)=(\w+)$/.exec(pair.trim()));
  return Object.fromEntries(
    pairs.map((pair) => {
      if (pair === null) {
        throw new UsageError(
          `--dtype: expected a precision such as q4, or one per part such as vision_encoder=fp16,decoder_model_merged=q4, got '${text}'.`,
        );
      }
      const [, part = '', name = ''] = pair;
      if (!PARTS.includes(part)) {
        throw new UsageError(`--dtype: no model has a part '${part}'. Parts are ${PARTS.join(', ')}.`);
      }
      return [part, precision(name)];
    }),
  );
}

function precision(name: string): DataType {
  if (Object.hasOwn(PRECISIONS, name)) return name as DataType;
  throw new UsageError(
    `--dtype: there is no precision '${name}'. Precisions are ${Object.keys(PRECISIONS).join(', ')}.`,
  );
}
