// Merges the runs of several machines, each of which ran one shard of the questions.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_FILES } from '../data/folder.js';
import { RunError } from '../errors.js';
import { groupBy } from '../stats/statistics.js';
import { ALL, type EvalRecord, openRecords, parseRecords, recordKey } from './records.js';
import type { RunResult } from './run-evaluation.js';
import {
  joinMethods,
  joinQuestions,
  type RunSettings,
  readSettings,
  runIdentity,
  writeSettings,
} from './run-settings.js';

/**
 * Reads a run.
 * @throws RunError if the folder has no run, or its files are damaged.
 */
export function readRun(folder: string): RunResult {
  const settings = readSettings(folder);
  if (settings === undefined) {
    throw new RunError(`There is no evaluation in '${folder}': it has no ${RUN_FILES.settings}`);
  }
  const path = join(folder, RUN_FILES.records);
  if (!existsSync(path)) {
    throw new RunError(
      `The evaluation in '${folder}' has no ${RUN_FILES.records}, so no answers yet; run it again to continue`,
    );
  }
  const text = readFileSync(path, 'utf8');
  // A line cut short by a kill is not a record.
  return { folder, settings, records: parseRecords(text.slice(0, text.lastIndexOf('\n') + 1), path) };
}

/**
 * Merges runs into a folder. Shards may have run different methods; the merged run has all of them.
 * @returns The merged run; its settings have no shard.
 * @throws RunError if the runs do not belong together, a shard is missing, unfinished or duplicated, or `out` already holds
 * records.
 */
export function mergeRuns(folders: readonly string[], out: string): RunResult {
  const runs = folders.map(readRun);
  const [first] = runs;
  if (first === undefined) throw new RunError('There are no runs to merge');
  for (const { folder, settings } of runs) {
    if (runIdentity(settings, false) === runIdentity(first.settings, false)) continue;
    throw new RunError(
      `The runs in '${first.folder}' and '${folder}' do not belong together: ` +
        `${runIdentity(first.settings, false)} and ${runIdentity(settings, false)}`,
    );
  }
  const [agent, ...otherAgents] = new Set(runs.flatMap(({ settings }) => settings.agent ?? []));
  if (otherAgents.length > 0) {
    throw new RunError(
      `The runs do not belong together: their agents are ${[agent, ...otherAgents].join(', ')}`,
    );
  }
  const questions = runs.flatMap(({ settings }) => settings.questions ?? []);
  if (new Set(questions.map(({ isRandom }) => isRandom)).size > 1) {
    throw new RunError(
      'The runs do not belong together: under the limit, some were started with a seed and so ask random questions, the ' +
        'others the first; run all shards with the seed, or none',
    );
  }
  assertAllShards(runs);
  for (const run of runs) assertFinished(run);
  const records = distinct(runs);
  const file = openRecords(out);
  try {
    if (file.records.length > 0) throw new RunError(`'${out}' already holds records; choose another folder`);
    for (const record of records) file.append(record);
  } finally {
    file.close();
  }
  const { shard: _, skipped: __, ...rest } = first.settings;
  const skipped = runs.flatMap((run) => run.settings.skipped ?? []);
  const [some, ...others] = questions;
  const settings: RunSettings = {
    ...rest,
    ...joinMethods(runs.map((run) => run.settings)),
    // If one of the runs does not state its questions, neither can the merged run.
    questions: some && questions.length === runs.length ? joinQuestions([some, ...others]) : undefined,
    ...(skipped.length > 0 && { skipped }),
    ...(agent !== undefined && { agent }),
    machine: [...new Set(runs.map((run) => run.settings.machine))].join('; '),
    ...(first.settings.command !== undefined && {
      command: runs.flatMap((run) => run.settings.command ?? []).join('; '),
    }),
  };
  writeSettings(out, settings);
  return { folder: out, settings, records };
}

function assertAllShards(runs: readonly RunResult[]): void {
  const shards = runs.map(({ settings }) => settings.shard);
  const count = shards[0]?.count ?? 1;
  const present = new Set(shards.map((shard) => shard?.index ?? 0));
  const isWhole =
    present.size === count && runs.length === count && shards.every((one) => (one?.count ?? 1) === count);
  if (isWhole) return;
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !present.has(index));
  throw new RunError(
    `Expected each of ${count} shards once, got ${shards.map((one) => (one ? `${one.index}/${one.count}` : 'a whole run')).join(', ')}` +
      (missing.length > 0 ? `; missing: ${missing.map((index) => `${index}/${count}`).join(', ')}` : ''),
  );
}

/** Every method that a run started must have answered all its questions, or at least one if the run does not state their number. */
function assertFinished({ folder, settings, records }: RunResult): void {
  const count = settings.questions?.count;
  const rows = groupBy(records, ({ method, budget }) => JSON.stringify([method, budget]));
  const fewest = records.length === 0 ? 0 : Math.min(...[...rows.values()].map((row) => row.length));
  if (fewest >= (count ?? 1)) return;
  throw new RunError(
    `The run in '${folder}' is not finished: ${fewest} of ${count ?? 'its'} questions have all answers; ` +
      'run it again with the same command, then merge',
  );
}

/** All records. Each question needs an answer with all tokens to compare with. */
function distinct(runs: readonly RunResult[]): EvalRecord[] {
  const records = runs.flatMap((run) => run.records);
  const keys = new Set<string>();
  for (const record of records) {
    const key = recordKey(record);
    if (keys.has(key))
      throw new RunError(`Two of the runs have the record ${key}; shards must not share questions`);
    keys.add(key);
  }
  for (const { id } of records) {
    if (!keys.has(recordKey({ id, method: ALL, budget: ALL }))) {
      throw new RunError(`Question '${id}' has no answer with all tokens; finish that run first`);
    }
  }
  return records;
}
