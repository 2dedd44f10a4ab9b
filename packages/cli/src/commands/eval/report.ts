// `mmtok eval report`: writes the report of a run next to its records.

import { resolve } from 'node:path';
import { readRun, writeReport } from '@mmtok/eval';
import { print } from '../../terminal/io.js';
import type { Context } from '../context.js';
import { resolveTask } from './tasks.js';

/** What `mmtok eval report` was asked for. */
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
