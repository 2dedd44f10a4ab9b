// `mmtok eval compare`: paired differences between two runs, as a table and a plot.

import { relative, resolve } from 'node:path';
import { compareRuns, comparisonNotes, comparisonTable, readRun, writeComparison } from '@mmtok/eval';
import { print, printJson } from '../../terminal/io.js';
import { renderTable } from '../../terminal/table.js';
import type { Context } from '../context.js';

/** What `mmtok eval compare` was asked for. */
export interface CompareRequest {
  /** The folders of two runs. */
  readonly folders: readonly [a: string, b: string];
  /** Folder for compare.html and compare.md. */
  readonly out: string;
  readonly json: boolean;
}

/**
 * Compares two runs, prints the table and writes the page.
 * @throws RunError if a folder holds no run, or the runs asked different questions.
 * @throws WriteError if a file cannot be written.
 */
export async function compareEvaluations(
  { folders, out, json }: CompareRequest,
  { io }: Context,
): Promise<void> {
  const [a, b] = folders.map((folder) => ({ ...readRun(resolve(io.cwd, folder)), folder })) as [
    ReturnType<typeof readRun>,
    ReturnType<typeof readRun>,
  ];
  const comparison = compareRuns(a, b);
  const paths = await writeComparison(comparison, resolve(io.cwd, out));
  if (json) {
    printJson(io.stdout, comparison);
    return;
  }
  const { head, rows } = comparisonTable(comparison);
  const columns = head.map((title, at) => ({ title, align: at === 0 ? 'left' : 'right' }) as const);
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? cell : cell.text)));
  for (const note of comparisonNotes(comparison)) print(io.stdout, note);
  print(io.stdout);
  for (const line of renderTable(columns, cells, io.stdout.columns ?? 160)) print(io.stdout, line);
  print(io.stdout);
  print(io.stdout, `Page: ${relative(io.cwd, paths[0] ?? out)}`);
}
