// Writes the report of a run beside its records.

import { join } from 'node:path';
import { WriteError } from '../errors.js';
import type { RunResult } from '../runner/run-evaluation.js';
import { explainWriteFailure, writeWhole } from '../runner/run-folder.js';
import type { Task } from '../tasks/task.js';
import { summarizeRun } from './summarize-run.js';
import { toCsv, toMarkdown } from './text-formats.js';

/**
 * Writes `report.html`, `report.md` and `report.csv` into the run's folder.
 * @param task For benchmarks whose headline is more than a mean of scores, whose gold answers are no texts, or that the
 * MMTok paper has.
 * @returns Their paths, the page first.
 * @throws RunError without answers with all tokens.
 * @throws WriteError if a file cannot be written.
 */
export async function writeReport(
  run: RunResult,
  task?: Pick<Task, 'aggregate' | 'paper' | 'truth'>,
): Promise<string[]> {
  const summary = summarizeRun(run, task);
  // The plotting library is large, and only pages need it.
  const { toPage } = await import('./page.js');
  const files: readonly (readonly [string, string])[] = [
    ['report.html', await toPage(run, summary, task)],
    ['report.md', toMarkdown(summary)],
    ['report.csv', toCsv(summary)],
  ];
  const paths: string[] = [];
  for (const [name, text] of files) {
    const path = join(run.folder, name);
    try {
      writeWhole(path, text);
    } catch (cause) {
      throw new WriteError(
        `The report cannot be written to '${path}' (${explainWriteFailure(cause)}). The answers are kept: mend that, then run mmtok eval report ${run.folder}`,
        { cause },
      );
    }
    paths.push(path);
  }
  return paths;
}
