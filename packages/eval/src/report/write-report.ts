// Writes the report of a run next to its records.

import { join } from 'node:path';
import { WriteError } from '../errors.js';
import type { RunResult } from '../runner/run-evaluation.js';
import { explainWriteFailure, writeWhole } from '../runner/run-folder.js';
import type { Task } from '../tasks/task.js';
import { summarizeRun } from './summarize-run.js';
import { toCsv, toMarkdown } from './text-formats.js';

/**
 * Writes `report.html`, `report.md` and `report.csv` into the run's folder.
 * @param task needed for benchmarks that the MMTok paper reports, whose gold answers are not text, or whose primary metric is more
 * than a mean of scores.
 * @returns Their paths, the page first.
 * @throws RunError if there are no answers with all tokens.
 * @throws WriteError if a file cannot be written.
 */
export async function writeReport(
  run: RunResult,
  task?: Pick<Task, 'aggregate' | 'paper' | 'referenceAnswer'>,
): Promise<string[]> {
  const summary = summarizeRun(run, task);
  // The plotting library is large, and only the page needs it.
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
        `The report cannot be written to '${path}' (${explainWriteFailure(cause)}). The answers are kept: fix that, then run mmtok eval report ${run.folder}`,
        { cause },
      );
    }
    paths.push(path);
  }
  return paths;
}
