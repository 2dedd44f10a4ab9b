// The table of a speed measurement for the terminal.

import type { SpeedResult } from '@mmtok/eval';
import { colorsFor, type Io, print } from '../../terminal/io.js';
import { type Column, renderTable, wrapColumns } from '../../terminal/table.js';
import { formatBytes, formatMs } from '../../terminal/text.js';

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
export function printSpeed(result: SpeedResult, { stdout, env }: Io): void {
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
    `Medians of ${result.rounds} passes, taken in turns, on ${result.machine}. First token: from pixels, that is encoder, selection, and ` +
    'prefill. Peak: memory that encoding, and all that follows it, takes above the loaded model.';
  for (const note of [medians, ...result.notes.map((note) => `Note: ${note}.`)]) {
    for (const line of wrapColumns(note, width)) print(stdout, colors.dim(line));
  }
}
