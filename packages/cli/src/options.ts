// The options that commands share, and parsers for their values. Ranges are mostly checked by the function that takes the value.

import type { DataType } from '@huggingface/transformers';
import { type Budget, MmtokError, parseBudget } from '@mmtok/core';
import type { ModelSize } from '@mmtok/tiny-vlm';
import type { TileBudget } from '@mmtok/transformers';
import { Option } from 'commander';
import { BACKENDS } from './engines/create-backend.js';
import { UsageError } from './errors.js';

/** The name of the embedded model. */
export const TINY = 'tiny';

/** The name of the small embedded model, which can also be an agent that needs no download. */
export const TINY_SMALL = 'tiny-small';

/** The name of the embedded model that splits images into tiles and reads signs. */
export const TINY_TILED = 'tiny-tiled';

/** The embedded models, and their names in @mmtok/tiny-vlm. */
const EMBEDDED: Readonly<Record<string, ModelSize>> = {
  [TINY]: 'base',
  [TINY_SMALL]: 'small',
  [TINY_TILED]: 'tiled',
};

/** The names of the embedded models, for help and errors. */
export const EMBEDDED_NAMES: string = Object.keys(EMBEDDED).join(', ');

/** Which model of @mmtok/tiny-vlm an embedded model is; undefined for other models. */
export function embeddedSize(name: string): ModelSize | undefined {
  return Object.hasOwn(EMBEDDED, name) ? EMBEDDED[name] : undefined;
}

/** Whether a model is embedded, and so only knows drawn shapes. */
export function isEmbedded(name: string): boolean {
  return embeddedSize(name) !== undefined;
}

/** An option whose text is parsed; an error names the option. */
export function parsed<T>(
  flags: string,
  description: string,
  parse: (option: string, text: string) => T,
): Option {
  const option = new Option(flags, description);
  return option.argParser((text) => parse(`--${option.name()}`, text));
}

/** How many vision tokens to keep when `--keep` is not given. */
const DEFAULT_KEEP: Budget = { ratio: 0.1 };

/** `--keep`, a budget. */
export const keepOption = (): Option =>
  new Option(
    '--keep <budget>',
    'vision tokens to keep: 64, 10%, or c0.95 for a share of the coverage',
  ).argParser(parseKeep);
/** `--keep` with the default of a tenth. */
export const defaultKeepOption = (): Option => keepOption().default(DEFAULT_KEEP, '10%');
/** `--keep`, several budgets as text. */
export const budgetsOption = (description: string): Option =>
  parsed('--keep <budgets>', description, parseBudgets);
/** `--backend`, the engine that selects tokens. */
export const backendOption = (): Option =>
  new Option('--backend <name>', 'engine that selects tokens (cpu: plain JavaScript)')
    .choices(BACKENDS)
    .default('ort');
/** `--model`, with the embedded model as the default. */
export const modelOption = (): Option =>
  new Option('--model <name>', `${EMBEDDED_NAMES} (embedded), a hub id, or a folder`)
    .argParser(modelName)
    .default(TINY);
/** `--device`, where the model runs. */
export const deviceOption = (): Option =>
  new Option('--device <name>', 'where the model runs: cpu, cuda, webgpu, dml, coreml');
/** `--dtype`, one precision or one per part. */
export const dtypeOption = (): Option =>
  new Option(
    '--dtype <name>',
    'precision of the weights: fp32, fp16, q8, q4, …, or part=precision,…',
  ).argParser(parseDtype);
/** `--prompt`, a template. */
export const promptOption = (): Option =>
  new Option(
    '--prompt <template>',
    "prompt with <image> and {question}, in place of the model's chat template",
  )
    // A shell passes \n as it is written.
    .argParser((text) => text.replaceAll('\\n', '\n'));
/** `--max-new-tokens`, a count. */
export const maxNewTokensOption = (description: string): Option =>
  parsed('--max-new-tokens <count>', description, parseCount);
/** `--focus`, a number or `auto`. */
export const focusOption = (): Option =>
  new Option(
    '--focus <strength>',
    'weight vision coverage by relevance to the question, in place of text coverage: a number such as 3, or auto',
  ).argParser(parseFocus);
/** `--tiles`, which tiles to encode. */
export const tilesOption = (
  description: string = 'encode only some tiles of each image, including the overview: 5, 30%, those useful for the question ' +
    '(worth, or worth=0.2,min=2,max=9), or all',
): Option => parsed('--tiles <tiles>', description, parseTiles);
/** `--json`, off by default. */
export const jsonOption = (): Option => new Option('--json', 'print JSON').default(false);

/** The name of a model as given, or with the prefix that names of embedded models may omit: `tiled` is `tiny-tiled`. */
export function modelName(text: string): string {
  const embedded = `${TINY}-${text}`;
  return isEmbedded(embedded) ? embedded : text;
}

/** @throws UsageError for text that is not a finite number. */
export function parseNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new UsageError(`${option}: expected a number, got '${text}'.`);
  }
  return value;
}

/**
 * Reads `'3'` or `'auto'`.
 * @throws UsageError for text that is neither a finite number nor `auto`.
 */
export function parseFocus(text: string): number | 'auto' {
  if (text.trim() === 'auto') return 'auto';
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new UsageError(`--focus: expected a number such as 3, or auto, got '${text}'.`);
}

/** @throws UsageError for text that is not a safe integer. */
export function parseInteger(option: string, text: string): number {
  const value = parseNumber(option, text);
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`${option}: expected a whole number up to 2^53 - 1, got '${text}'.`);
  }
  return value;
}

/** @throws UsageError for text that is not a safe integer ≥ 1. */
export const parseCount = (option: string, text: string): number => parseFrom(1, option, text);

/** @throws UsageError for text that is not a safe integer ≥ 0. */
export const parseNatural = (option: string, text: string): number => parseFrom(0, option, text);

function parseFrom(least: number, option: string, text: string): number {
  const value = parseNumber(option, text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`${option}: expected a whole number from ${least} to 2^53 - 1, got '${text}'.`);
  }
  return value;
}

/**
 * Reads `'0-23,40'` as 0 … 23 and 40.
 * @throws UsageError for anything but comma-separated whole numbers and ascending ranges, and for too many indices.
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
    // Checked before they are allocated: a range to 1e15 is a typo.
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
 * @throws UsageError for empty and duplicate entries.
 */
export function parseList(option: string, text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  if (entries.includes('')) throw new UsageError(`${option}: expected comma-separated names, got '${text}'.`);
  const twice = entries.find((entry, at) => entries.indexOf(entry) < at);
  if (twice !== undefined) throw new UsageError(`${option}: duplicate value '${twice}'.`);
  return entries;
}

/**
 * Reads `'64'` tokens, `'10%'` of the tokens, or `'c0.95'` of the coverage.
 * @throws UsageError for anything else.
 */
export function parseKeep(text: string): Budget {
  try {
    return parseBudget(text);
  } catch (error) {
    if (!MmtokError.isInstance(error, 'MMTOK_INVALID_BUDGET')) throw error;
    throw new UsageError(
      '--keep: expected a number of tokens such as 64, a percentage up to 100% such as 10%, ' +
        `or a coverage up to 1 such as c0.95, got '${text}'.`,
    );
  }
}

/** What `worth` without a number stands for. */
const DEFAULT_WORTH = 0.2;

const WORTH = /^worth(?:=(\d*\.?\d+))?(?:,min=(\d+))?(?:,max=(\d+))?$/;

/**
 * Reads `'5'` tiles, `'30%'` of the tiles, `'worth'` or `'worth=0.2,min=2,max=9'` for the tiles useful for the question, or `'all'`.
 * @throws UsageError for anything else.
 */
export function parseTiles(option: string, text: string): TileBudget {
  const given = text.trim().replace(/,\s+/g, ',');
  if (given === 'all') return given;
  const percent = Number(/^(\d+(?:\.\d+)?)%$/.exec(given)?.[1]);
  if (percent > 0 && percent <= 100) return { share: percent / 100 };
  if (/^\d+$/.test(given) && isCount(Number(given))) return { max: Number(given) };
  const match = WORTH.exec(given);
  const worth = Number(match?.[1] ?? DEFAULT_WORTH);
  const min = match?.[2] === undefined ? undefined : Number(match[2]);
  const max = match?.[3] === undefined ? undefined : Number(match[3]);
  const isInOrder = isCount(min ?? 1) && isCount(max ?? 1) && (min ?? 1) <= (max ?? Number.POSITIVE_INFINITY);
  if (match !== null && worth > 0 && worth <= 1 && isInOrder) {
    return { worth, ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  }
  throw new UsageError(
    `${option}: expected a number of tiles such as 5, a percentage up to 100% such as 30%, worth or worth=0.2 (from 0 to 1; ` +
      `append ,min=2 or ,max=9 to bound the number of tiles), or all, got '${text}'.`,
  );
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

/** Tiles as `--tiles` takes them, for settings and reports. */
export function tilesAsWritten(tiles: TileBudget): string {
  if (tiles === 'all') return tiles;
  if ('share' in tiles) return `${Number((tiles.share * 100).toPrecision(12))}%`;
  if (!('worth' in tiles)) return String(tiles.max);
  const { worth, min, max } = tiles;
  return [`worth=${worth}`, min && `min=${min}`, max && `max=${max}`].filter(Boolean).join(',');
}

/** @throws UsageError for a list of anything but budgets. */
function parseBudgets(option: string, text: string): string[] {
  const budgets = parseList(option, text);
  for (const budget of budgets) parseKeep(budget);
  return budgets;
}

/**
 * Reads `'896x672'` as a width and a height in pixels.
 * @throws UsageError for anything else.
 */
export function parseSize(option: string, text: string): readonly [width: number, height: number] {
  const found = /^(\d+)x(\d+)$/.exec(text);
  if (found !== null) return [Number(found[1]), Number(found[2])];
  throw new UsageError(`${option}: expected a width and a height in pixels such as 896x672, got '${text}'.`);
}

/**
 * Reads `'2/8'` as the third of eight parts: parts are counted from 0, like the job indices of clusters.
 * @throws UsageError for anything else.
 */
export function parseShard(option: string, text: string): { readonly index: number; readonly count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text.trim());
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match !== null && index < count) return { index, count };
  throw new UsageError(
    `${option}: expected a part and the number of parts, from 0/8 to 7/8 for eight, got '${text}'.`,
  );
}

/** All precisions of the library; a record, so that the compiler reports missing ones. */
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

/** The files of vision-language models in transformers.js 4.3; no model has all of them. */
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
 * @throws UsageError for anything else. (The library silently treats unknown names as fp32.)
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
        throw new UsageError(`--dtype: unknown part '${part}'. Parts are ${PARTS.join(', ')}.`);
      }
      return [part, precision(name)];
    }),
  );
}

function precision(name: string): DataType {
  if (Object.hasOwn(PRECISIONS, name)) return name as DataType;
  throw new UsageError(
    `--dtype: unknown precision '${name}'. Precisions are ${Object.keys(PRECISIONS).join(', ')}.`,
  );
}
