// `mmtok eval speed --costs`: what a first token costs by the dimensions alone, and the most that pruning can win of it.

import { type FirstTokenCosts, firstTokenCosts, type ModelDims, modelDims } from '@mmtok/eval';
import { colorsFor, print, printJson } from '../../terminal/io.js';
import { type Column, renderTable, wrapColumns } from '../../terminal/table.js';
import { formatShare } from '../../terminal/text.js';
import type { Context } from '../context.js';
import { type Picture, resolveDims } from './speed.js';

/** What to count. */
export interface CostsRequest {
  /** A name, or a JSON file. Absent: all names. */
  readonly dims: string | undefined;
  readonly picture: Picture | undefined;
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
  { dims, picture, textTokens, json }: CostsRequest,
  { io }: Context,
): Promise<void> {
  const counted: readonly ModelDims[] =
    dims === undefined ? Object.values(modelDims) : [await resolveDims(dims, picture, io.cwd)];
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
    `T: 10¹² multiplications, with ${textTokens} text tokens. At most: how many times as early the first token comes by pruning ` +
    'after the encoder, if selecting were free and no vision token were kept, and a multiplication took as long everywhere.';
  for (const line of wrapColumns(note, width)) print(io.stdout, colorsFor(io.stdout, io.env).dim(line));
}

/** `17 × SigLIP-B/16-512` */
function encoderInWords({ encoder }: ModelDims): string {
  if (encoder === undefined) return '–';
  return encoder.tiles === 1 ? encoder.title : `${encoder.tiles} × ${encoder.title}`;
}
