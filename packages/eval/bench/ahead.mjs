// How far one method of an evaluation is ahead of the others: points of score with 95 % intervals by paired bootstrap over the
// same questions, as a Markdown table. Reads the records of runs (of `mmtok eval` or score.mjs) and the built package.
//   node bench/ahead.mjs <run>... [--of mmtok]
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { meanDifference } from '../dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { of: { type: 'string', default: 'mmtok' } },
});
if (positionals.length === 0) throw new Error('Usage: node bench/ahead.mjs <run>... [--of mmtok]');

/** Scores by budget, method and question; budgets in the order of their first answers. */
const scores = new Map();
for (const folder of positionals) {
  for await (const line of createInterface({ input: createReadStream(join(folder, 'records.jsonl')) })) {
    const { id, method, budget, score } = JSON.parse(line);
    const ofBudget = scores.get(budget) ?? {};
    ofBudget[method] ??= {};
    ofBudget[method][id] = score.value;
    scores.set(budget, ofBudget);
  }
}
const budgets = [...scores.keys()].filter((budget) => scores.get(budget)[values.of] !== undefined);
if (budgets.length === 0) throw new Error(`The runs have no answers of method '${values.of}'.`);

const points = (share) => (100 * share).toFixed(1);
console.log(`| ${values.of} ahead of | ${budgets.join(' | ')} |`);
console.log(`| --- | ${budgets.map(() => '---:').join(' | ')} |`);
for (const method of Object.keys(scores.get(budgets[0])).filter((name) => name !== values.of)) {
  const cells = budgets.map((budget) => {
    const [mine, theirs] = [values.of, method].map((name) => scores.get(budget)[name]);
    const questions = Object.keys(mine);
    const { value, low, high } = meanDifference(
      questions.map((id) => theirs[id]),
      questions.map((id) => mine[id]),
    );
    return `${points(value)} (${points(low)} to ${points(high)})`;
  });
  console.log(`| ${method} | ${cells.join(' | ')} |`);
}
