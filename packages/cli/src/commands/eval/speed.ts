// `mmtok eval speed`: time and memory from pixels to the first tokens at given dimensions, with all vision tokens and with few; with
// --costs, only the number of multiplications.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  atImageSize,
  type FirstTokenCosts,
  findModelDims,
  firstTokenCosts,
  type ModelDims,
  measureSpeed,
  modelDims,
  parseModelDims,
  type SpeedOptions,
  type SpeedProgress,
  type SpeedResult,
} from '@mmtok/eval';
import type { TileBudget } from '@mmtok/transformers';
import { type BackendName, loadOnnxRuntime } from '../../engines/create-backend.js';
import { orInputFileError, UsageError } from '../../errors.js';
import { colorsFor, createStatusLine, type Io, print, printJson } from '../../terminal/io.js';
import {
  type Column,
  formatBytes,
  formatMs,
  formatShare,
  renderTable,
  wrapColumns,
} from '../../terminal/text.js';
import type { Context } from '../context.js';

/** Width and height of an image in pixels. */
export type ImageSize = readonly [width: number, height: number];

/** The parsed command line of `mmtok eval speed`. */
export interface SpeedRequest
  extends Pick<
    SpeedOptions,
    'layers' | 'encoderLayers' | 'budgets' | 'dtype' | 'textTokens' | 'rounds' | 'decodeTokens'
  > {
  /** A name, or a JSON file. */
  readonly dims: string;
  readonly imageSize?: ImageSize | undefined;
  /** Which tiles to encode in additional rows, including the overview. */
  readonly tiles?: TileBudget | undefined;
  readonly device: string;
  readonly backend: BackendName;
  readonly json: boolean;
}

/**
 * Measures and prints a table.
 * @throws InvalidOptionsError, InvalidBudgetError, UsageError, InputFileError for invalid options; BackendUnavailableError.
 */
export async function measureDims(request: SpeedRequest, { io, services }: Context): Promise<void> {
  const { dims: name, imageSize, tiles, device, json, backend: engine, ...options } = request;
  const dims = await resolveDims(name, imageSize, io.cwd);
  const encodedTiles = tileCount(tiles, dims);
  const backend = await services.createBackend(engine, engine === 'ort' ? device : undefined);
  const status = createStatusLine(io.stderr);
  try {
    const result = await measureSpeed({
      ...options,
      ...(encodedTiles !== undefined && { tiles: encodedTiles }),
      dims,
      device,
      backend,
      runtime: loadOnnxRuntime(),
      onProgress: (progress) => status.show(inWords(progress, dims)),
    });
    status.clear();
    if (json) printJson(io.stdout, result);
    else printSpeed(result, io);
  } finally {
    status.clear();
    await backend.dispose();
  }
}

/**
 * The number of tiles to encode; undefined for all.
 * @throws UsageError for a number that depends on an image and a question.
 */
function tileCount(tiles: TileBudget = 'all', { encoder }: ModelDims): number | undefined {
  if (tiles === 'all') return undefined;
  if ('worth' in tiles) {
    throw new UsageError(
      '--tiles: the worth of a tile depends on an image and a question, which eval speed does not have; give a number such as 5, or 30%.',
    );
  }
  return 'max' in tiles ? tiles.max : Math.max(1, Math.round(tiles.share * (encoder?.tiles ?? 1)));
}

/**
 * The dimensions of a name or a JSON file, for another image size if one is given.
 * @throws InvalidOptionsError, InputFileError
 */
async function resolveDims(name: string, imageSize: ImageSize | undefined, cwd: string): Promise<ModelDims> {
  const dims = await readDims(name, cwd);
  return imageSize === undefined ? dims : atImageSize(dims, ...imageSize);
}

async function readDims(name: string, cwd: string): Promise<ModelDims> {
  if (!/[/\\]|\.json$/.test(name)) return findModelDims(name);
  const text = await orInputFileError(name, 'it cannot be read', () => readFile(resolve(cwd, name), 'utf8'));
  const value: unknown = await orInputFileError(name, 'it is not valid JSON', async () => JSON.parse(text));
  return parseModelDims(value);
}

function inWords({ phase, done, total }: SpeedProgress, { title }: ModelDims): string {
  switch (phase) {
    case 'features':
      return `${title}: generating features …`;
    case 'weights':
      return `${title}: writing ${formatBytes(done)} of ${formatBytes(total)} of random weights …`;
    case 'load':
      return `${title}: loading the decoder …`;
    case 'encode':
      return `${title}: encoding, round ${done} of ${total - 1} …`;
    case 'warmUp':
      return `${title}: warming up, ${done} of ${total} prompts …`;
    case 'measure':
      return `${title}: measuring, ${done} of ${total} prompts …`;
  }
}

// `mmtok eval speed --costs`: the multiplications of a first token, computed from the dimensions, and how much pruning can save at most.

/** What to count. */
export interface CostsRequest {
  /** A name, or a JSON file. Absent: all names. */
  readonly dims: string | undefined;
  readonly imageSize: ImageSize | undefined;
  readonly textTokens: number;
  readonly json: boolean;
}

interface CostsRow extends FirstTokenCosts {
  readonly title: string;
  readonly encoderTitle: string;
  readonly visionTokens: number;
}

/** Prints a table with one row per model. */
export async function countCosts(
  { dims, imageSize, textTokens, json }: CostsRequest,
  { io }: Context,
): Promise<void> {
  const counted: readonly ModelDims[] =
    dims === undefined ? Object.values(modelDims) : [await resolveDims(dims, imageSize, io.cwd)];
  const rows = counted.map(
    (one): CostsRow => ({
      title: one.title,
      encoderTitle: `${encoderInWords(one)}`,
      visionTokens: one.visionTokens,
      ...firstTokenCosts(one, textTokens),
    }),
  );
  if (json) {
    printJson(io.stdout, rows);
    return;
  }
  const right = (title: string): Column => ({ title, align: 'right' });
  const columns = [
    { title: 'model' },
    { title: 'encoder' },
    right('vision'),
    right('encode T'),
    right('prefill T'),
    right("encoder's share"),
    right('at most'),
  ];
  const tera = (count: number): string => (count / 1e12).toPrecision(2);
  const lines = rows.map((row) => [
    row.title,
    row.encoderTitle,
    String(row.visionTokens),
    tera(row.encoder),
    tera(row.prefill),
    formatShare(row.encoderShare),
    `${row.mostByTokens.toFixed(2)} ×`,
  ]);
  const width = io.stdout.columns ?? 120;
  for (const line of renderTable(columns, lines, width)) print(io.stdout, line);
  print(io.stdout);
  const note =
    `T: 10¹² multiplications, with ${textTokens} text tokens. At most: the speedup of the first token by pruning after the encoder ` +
    'if selection were free, no vision token were kept, and every multiplication took the same time.';
  for (const line of wrapColumns(note, width)) print(io.stdout, colorsFor(io.stdout, io.env).dim(line));
}

/** `17 × SigLIP-B/16-512` */
function encoderInWords({ encoder }: ModelDims): string {
  if (encoder === undefined) return '–';
  return encoder.tiles === 1 ? encoder.title : `${encoder.tiles} × ${encoder.title}`;
}

// The table of a speed measurement for the terminal.

const COLUMNS: readonly Column[] = [
  { title: 'keep' },
  ...[
    'tiles',
    'vision',
    'prompt',
    'encode',
    'select',
    'prefill',
    '×',
    'first token',
    '×',
    'next token',
    '×',
    'cache',
    'encode peak',
    'peak',
  ].map((title) => ({ title, align: 'right' }) as const),
];

/** Prints the table of a measurement. */
function printSpeed(result: SpeedResult, { stdout, env }: Io): void {
  const { dims, builtLayers, dtype, device, parameters, weightBytes, rows } = result;
  const colors = colorsFor(stdout, env);
  const width = stdout.columns ?? 100;
  const layers = result.isScaled
    ? `scaled from ${builtLayers} of ${dims.layers} layers`
    : `${dims.layers} layers`;
  print(
    stdout,
    `${colors.bold(dims.title)}: ${layers}, ${(parameters / 1e9).toPrecision(3)} billion weights, ${dtype} on ${device} ` +
      `(${formatBytes(weightBytes)} built), selection on ${result.backend}`,
  );
  const times = (ratio: number): string => `${ratio.toFixed(2)} ×`;
  const bytes = (amount: number | undefined): string => (amount === undefined ? '–' : formatBytes(amount));
  const lines = rows.map((row) => [
    row.budget,
    row.tiles === undefined ? '–' : String(row.tiles),
    String(row.visionTokens),
    String(row.promptTokens),
    row.tiles === undefined ? '–' : `${formatMs(row.encodeMs)} ms`,
    row.budget === 'all' ? '' : `${formatMs(row.selectMs)} ms`,
    `${formatMs(row.prefillMs)} ms`,
    times(row.speedup.prefillMs),
    `${formatMs(row.firstTokenMs)} ms`,
    times(row.speedup.firstTokenMs),
    `${formatMs(row.decodeMs)} ms`,
    times(row.speedup.decodeMs),
    formatBytes(row.cacheBytes),
    bytes(row.encodePeakBytes),
    bytes(row.peakBytes),
  ]);
  for (const line of renderTable(COLUMNS, lines, width)) print(stdout, line);
  print(stdout);
  const medians =
    `Medians of ${result.rounds} interleaved passes on ${result.machine}. First token: from pixels, i.e. encoder, selection, and ` +
    'prefill. Encode peak and peak: memory on top of the loaded model while encoding, and afterwards.';
  for (const note of [medians, ...result.notes.map((note) => `Note: ${note}.`)]) {
    for (const line of wrapColumns(note, width)) print(stdout, colors.dim(line));
  }
}
