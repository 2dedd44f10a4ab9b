// `mmtok eval merge`: merges the shards of one evaluation, which may have run on several machines.

import { resolve } from 'node:path';
import { mergeRuns, summarizeRun } from '@mmtok/eval';
import { print } from '../../terminal/io.js';
import type { Context } from '../context.js';
import { printEvaluation } from './run.js';

/** What `mmtok eval merge` was asked for. */
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
