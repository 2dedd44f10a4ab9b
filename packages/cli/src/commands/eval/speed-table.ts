// The table of a speed measurement for the terminal.

import type { SpeedResult } from '@mmtok/eval';
import { colorsFor, type Io, print } from '../../terminal/io.js';
import { type Column, renderTable, wrapColumns } from '../../terminal/table.js';
import { formatBytes, formatMs } from '../../terminal/text.js';

const COLUMNS: readonly Column[] = [
  { title: 'keep' },
  ...[
    'vision',
    'prompt',
    'select',
    'prefill',
    '×',
    'first token',
    '×',
    'next token',
    '×',
    'cache',
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
  const lines = rows.map((row) => [
    row.budget,
    String(row.visionTokens),
    String(row.promptTokens),
    row.budget === 'all' ? '' : `${formatMs(row.selectMs)} ms`,
    `${formatMs(row.prefillMs)} ms`,
    times(row.speedup.prefillMs),
    `${formatMs(row.firstTokenMs)} ms`,
    times(row.speedup.firstTokenMs),
    `${formatMs(row.decodeMs)} ms`,
    times(row.speedup.decodeMs),
    formatBytes(row.cacheBytes),
    row.peakBytes === undefined ? '–' : formatBytes(row.peakBytes),
  ]);
  for (const line of renderTable(COLUMNS, lines, width)) print(stdout, line);
  print(stdout);
  const medians =
    `Medians of ${result.rounds} passes, taken in turns, on ${result.machine}. First token: selection and prefill; ` +
    'peak: memory that the prompt takes above the loaded model.';
  for (const note of [medians, ...result.notes.map((note) => `Note: ${note}.`)]) {
    for (const line of wrapColumns(note, width)) print(stdout, colors.dim(line));
  }
}
