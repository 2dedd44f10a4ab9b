// The tables of apps/docs/results from the records of runs (of score.mjs, or of `mmtok eval`), as Markdown: the score of each method in
// percent of the score with all tokens, with 95 % intervals by paired bootstrap over questions; scores by kind of question; the kinds
// that every method loses, beyond the noise; and of these the kinds lost at every budget below half of the tokens.
//   node bench/tables.mjs <run>... [--kinds 10%,8]
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { builtInMethods, lostKinds, meanDifference, retention } from '../dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kinds: { type: 'string' } },
});
if (positionals.length === 0) throw new Error('Usage: node bench/tables.mjs <run>... [--kinds 10%,8]');

const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const percent = (share) => (100 * share).toFixed(1);
const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
const head = (names) => {
  row(names);
  row(names.map((_, i) => (i === 0 ? '---' : '---:')));
};

/** Answers by question, of each method at each budget. */
const runs = new Map();
for (const folder of positionals) {
  for await (const line of createInterface({ input: createReadStream(join(folder, 'records.jsonl')) })) {
    const record = JSON.parse(line);
    const key = record.method === 'all' ? 'all' : JSON.stringify([record.method, record.budget]);
    if (!runs.has(key)) runs.set(key, new Map());
    runs.get(key).set(record.id, record);
  }
}
const whole = runs.get('all');
if (whole === undefined) throw new Error('The runs have no answers with all tokens.');
const kinds = [...new Set([...whole.values()].map(({ kind }) => kind))].toSorted();
const most = Math.max(...[...whole.values()].map(({ keptTokens }) => keptTokens));

/** The scores of one method at one budget beside those with all tokens, of all questions or of one kind. */
function pairs(answers, kind) {
  const own = [...answers.values()].filter((record) => kind === undefined || record.kind === kind);
  return [own.map(({ id }) => whole.get(id).score.value), own.map(({ score }) => score.value)];
}

const rows = [...runs].flatMap(([key, answers]) => {
  if (key === 'all') return [];
  const [method, budget] = JSON.parse(key);
  const title = builtInMethods.find(({ name }) => name === method)?.title ?? method;
  const kept = mean([...answers.values()].map(({ keptTokens }) => keptTokens));
  const ofKinds = kinds.map((kind) => {
    const [full, own] = pairs(answers, kind);
    return { kind, questions: own.length, score: mean(own), difference: meanDifference(full, own) };
  });
  return [{ method, title, budget, keptTokens: kept, answers, kinds: ofKinds }];
});
const full = {
  kinds: kinds.map((kind) => {
    const [scores] = pairs(whole, kind);
    return { kind, questions: scores.length, score: mean(scores) };
  }),
};
const budgets = [...new Set(rows.map(({ budget }) => budget))];
const methods = [...new Set(rows.map(({ method }) => method))];
const rowOf = (method, budget) => rows.find((one) => one.method === method && one.budget === budget);

console.log(`${whole.size} questions, ${percent(mean(pairs(whole)[0]))} % right with all ${most} tokens\n`);
head(['method', ...budgets]);
for (const method of methods) {
  const cells = budgets.map((budget) => {
    const own = rowOf(method, budget);
    if (own === undefined) return '';
    const { value, low, high } = retention(...pairs(own.answers));
    return `${percent(value)} (${percent(low)}–${percent(high)})`;
  });
  row([rows.find((one) => one.method === method).title, ...cells]);
}

for (const budget of values.kinds?.split(',') ?? []) {
  console.log(`\n${budget}\n`);
  head(['score in %', ...kinds, 'all']);
  row(['all tokens', ...full.kinds.map(({ score }) => percent(score)), percent(mean(pairs(whole)[0]))]);
  for (const method of methods) {
    const own = rowOf(method, budget);
    if (own === undefined) continue;
    row([own.title, ...own.kinds.map(({ score }) => percent(score)), percent(mean(pairs(own.answers)[1]))]);
  }
}

const lost = lostKinds({ rows, full });
console.log('\nKinds of question that every method loses\n');
head(['kind', 'budget', 'all tokens', 'the best method', 'difference']);
for (const { kind, budget, full: score, best } of lost) {
  const { value, low, high } = best.difference;
  const difference = `${percent(value)} (${percent(low)} to ${percent(high)})`;
  row([kind, budget, percent(score), `${percent(best.score)} (${best.row.title})`, difference]);
}
const small = budgets.filter((budget) =>
  rows.some((one) => one.budget === budget && one.keptTokens < most / 2),
);
const refused = kinds.filter((kind) =>
  small.every((budget) => lost.some((one) => one.kind === kind && one.budget === budget)),
);
console.log(
  `\nLost at every budget below half of the tokens (${small.join(', ')}): ${refused.join(', ') || 'none'}`,
);
