// `mmtok eval report`: writes the report of a run beside its records.

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
 * Writes a report and prints where.
 * @throws RunError if there is no run in the folder.
 */
export async function reportEvaluation({ folder }: ReportRequest, { io }: Context): Promise<void> {
  const run = readRun(resolve(io.cwd, folder));
  // A folder of the user's own is known by its name alone, and a task's files may lie elsewhere: then means must do.
  const task = await resolveTask(run.settings.task, io.cwd).catch(() => undefined);
  const { source } = run.settings;
  // A folder may be named like a benchmark.
  const isOther = source !== undefined && source !== task?.source.url;
  for (const path of await writeReport(run, isOther ? undefined : task)) print(io.stdout, path);
}
