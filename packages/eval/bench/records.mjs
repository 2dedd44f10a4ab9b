// Records of runs (of score.mjs, or of `mmtok eval`), for the scripts that make tables and plots of them.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { builtInMethods } from '../dist/index.js';

export const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
export const percent = (share) => (100 * share).toFixed(1);

/** The title of a method; those of focus.mjs are no built-in methods. */
export function titleOf(method) {
  const title = builtInMethods.find(({ name }) => name === method)?.title;
  return title ?? method.replace(/^focus-/, 'MMTok, focus ');
}

/**
 * The answers of runs about the same questions: for each method and budget, records by question; of two about the same question,
 * the one that was read last. The answers with all tokens are `whole`.
 */
export async function readAnswers(folders) {
  const rows = new Map();
  for (const folder of folders) {
    for await (const line of createInterface({ input: createReadStream(join(folder, 'records.jsonl')) })) {
      const record = JSON.parse(line);
      const { method, budget } = record;
      const key = `${method} ${budget}`;
      if (!rows.has(key)) rows.set(key, { method, budget, title: titleOf(method), answers: new Map() });
      rows.get(key).answers.set(record.id, record);
    }
  }
  const whole = rows.get('all all')?.answers;
  if (whole === undefined) throw new Error('The runs have no answers with all tokens.');
  rows.delete('all all');
  const list = [...rows.values()];
  for (const row of list)
    row.keptTokens = mean([...row.answers.values()].map(({ keptTokens }) => keptTokens));
  return { whole, rows: list };
}

/** Scores of the same questions in two lists: first those of `baseline`, then those of `answers`. */
export function pairs(baseline, answers, kind) {
  const own = [...answers.values()].filter((record) => kind === undefined || record.kind === kind);
  return [baseline, answers].map((of) => own.map(({ id }) => of.get(id).score.value));
}
