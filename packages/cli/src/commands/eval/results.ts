// `mmtok eval report`, `compare`, and `merge`: commands on the folders of runs.

import { relative, resolve } from 'node:path';
import {
  compareRuns,
  comparisonNotes,
  comparisonTable,
  mergeRuns,
  readRun,
  summarizeRun,
  writeComparison,
  writeReport,
} from '@mmtok/eval';
import { print, printJson } from '../../terminal/io.js';
import { renderTable } from '../../terminal/text.js';
import type { Context } from '../context.js';
import { printEvaluation, resolveTask } from './run.js';

/** The parsed command line of `mmtok eval compare`. */
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

/** The parsed command line of `mmtok eval report`. */
export interface ReportRequest {
  /** The folder of a run. */
  readonly folder: string;
}

/**
 * Writes a report and prints its paths.
 * @throws RunError if the folder contains no run.
 */
export async function reportEvaluation({ folder }: ReportRequest, { io }: Context): Promise<void> {
  const run = readRun(resolve(io.cwd, folder));
  // A run stores only the name of a task folder, which may have moved; then the report shows means.
  const task = await resolveTask(run.settings.task, io.cwd).catch(() => undefined);
  const { source } = run.settings;
  // A folder may have the name of a benchmark.
  const isOther = source !== undefined && source !== task?.source.url;
  for (const path of await writeReport(run, isOther ? undefined : task)) print(io.stdout, path);
}

/** The parsed command line of `mmtok eval merge`. */
export interface MergeRequest {
  /** Folders of runs. */
  readonly folders: readonly string[];
  readonly out: string;
}

/**
 * Merges runs and prints the table of the result.
 * @throws RunError if they do not belong together, or one is missing.
 */
export function mergeEvaluations({ folders, out }: MergeRequest, { io }: Context): void {
  const merged = mergeRuns(
    folders.map((folder) => resolve(io.cwd, folder)),
    resolve(io.cwd, out),
  );
  printEvaluation(summarizeRun(merged), io);
  print(io.stdout, `Report: mmtok eval report ${out}`);
}
