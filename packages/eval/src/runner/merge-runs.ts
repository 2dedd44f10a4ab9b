// Joins the runs of several machines, each with a shard of the questions, into one.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALL, type EvalRecord, recordKey } from './record.js';
import { openRecords, parseRecords } from './records-file.js';
import { RunError } from './run-error.js';
import type { RunResult } from './run-evaluation.js';
import { RUN_FILES, type RunSettings, readSettings, runIdentity, writeSettings } from './run-settings.js';

/**
 * Reads a run.
 * @throws RunError if there is none in the folder, or its files are damaged.
 */
export function readRun(folder: string): RunResult {
  const settings = readSettings(folder);
  if (settings === undefined) {
    throw new RunError(`There is no evaluation in '${folder}': it has no ${RUN_FILES.settings}`);
  }
  const path = join(folder, RUN_FILES.records);
  const text = readFileSync(path, 'utf8');
  // A line that was cut short by a kill is no record yet.
  return { folder, settings, records: parseRecords(text.slice(0, text.lastIndexOf('\n') + 1), path) };
}

/**
 * Merges runs into a folder.
 * @returns The merged run; its settings have no shard.
 * @throws RunError if the runs do not belong together, a shard is missing or there twice, or `out` holds records.
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
  assertAllShards(runs);
  const records = distinct(runs);
  mkdirSync(out, { recursive: true });
  const file = openRecords(join(out, RUN_FILES.records));
  try {
    if (file.records.length > 0) throw new RunError(`'${out}' holds records already; choose another folder`);
    for (const record of records) file.append(record);
  } finally {
    file.close();
  }
  const { shard: _, ...rest } = first.settings;
  const settings: RunSettings = {
    ...rest,
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

/** All records; each question must have an answer with all tokens, or there is nothing to compare with. */
function distinct(runs: readonly RunResult[]): EvalRecord[] {
  const records = runs.flatMap((run) => run.records);
  const keys = new Set<string>();
  for (const record of records) {
    const key = recordKey(record);
    if (keys.has(key))
      throw new RunError(`Two of the runs have the record ${key}; each shard has questions of its own`);
    keys.add(key);
  }
  for (const { id } of records) {
    if (!keys.has(recordKey({ id, method: ALL, budget: ALL }))) {
      throw new RunError(`Question '${id}' has no answer with all tokens; finish that run first`);
    }
  }
  return records;
}
