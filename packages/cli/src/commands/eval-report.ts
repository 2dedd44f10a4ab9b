// `mmtok eval report`: writes the report of a run beside its records.

import { resolve } from 'node:path';
import { readRun, writeReport } from '@mmtok/eval';
import { print } from '../io.js';
import type { Context } from './context.js';

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
  for (const path of await writeReport(readRun(resolve(io.cwd, folder)))) print(io.stdout, path);
}
