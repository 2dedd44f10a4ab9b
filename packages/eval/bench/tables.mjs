// The tables of apps/docs/results from the records of runs (of score.mjs, or of `mmtok eval`), as Markdown: the score of each method in
// percent of the score with all tokens, with 95 % intervals by paired bootstrap over questions; scores by kind of question; the kinds
// that every method loses, beyond the noise; of these the kinds lost at every budget below half of the tokens; and the methods whose
// score falls with more tokens.
//   node bench/tables.mjs <run>... [--kinds 10%,8]
import { parseArgs } from 'node:util';
import { lostKinds, meanDifference, retention } from '../dist/index.js';
import { mean, pairs, percent, readAnswers } from './records.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kinds: { type: 'string' } },
});
if (positionals.length === 0) throw new Error('Usage: node bench/tables.mjs <run>... [--kinds 10%,8]');

const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
const head = (names) => {
  row(names);
  row(names.map((_, i) => (i === 0 ? '---' : '---:')));
};

const { whole, rows } = await readAnswers(positionals);
const kinds = [...new Set([...whole.values()].map(({ kind }) => kind))].toSorted();
const most = Math.max(...[...whole.values()].map(({ keptTokens }) => keptTokens));
for (const own of rows) {
  own.kinds = kinds.map((kind) => {
    const [full, scores] = pairs(whole, own.answers, kind);
    return { kind, questions: scores.length, score: mean(scores), difference: meanDifference(full, scores) };
  });
}
const full = {
  kinds: kinds.map((kind) => {
    const [scores] = pairs(whole, whole, kind);
    return { kind, questions: scores.length, score: mean(scores) };
  }),
};
const budgets = [...new Set(rows.map(({ budget }) => budget))];
const methods = [...new Set(rows.map(({ method }) => method))];
const rowOf = (method, budget) => rows.find((one) => one.method === method && one.budget === budget);

console.log(
  `${whole.size} questions, ${percent(mean(pairs(whole, whole)[0]))} % right with all ${most} tokens\n`,
);
head(['method', ...budgets]);
for (const method of methods) {
  const cells = budgets.map((budget) => {
    const own = rowOf(method, budget);
    if (own === undefined) return '';
    const { value, low, high } = retention(...pairs(whole, own.answers));
    return `${percent(value)} (${percent(low)}–${percent(high)})`;
  });
  row([rows.find((one) => one.method === method).title, ...cells]);
}

for (const budget of values.kinds?.split(',') ?? []) {
  console.log(`\n${budget}\n`);
  head(['score in %', ...kinds, 'all']);
  row([
    'all tokens',
    ...full.kinds.map(({ score }) => percent(score)),
    percent(mean(pairs(whole, whole)[0])),
  ]);
  for (const method of methods) {
    const own = rowOf(method, budget);
    if (own === undefined) continue;
    row([
      own.title,
      ...own.kinds.map(({ score }) => percent(score)),
      percent(mean(pairs(whole, own.answers)[1])),
    ]);
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

/** Each method's scores from one budget to the next larger one, and from the largest to all tokens. */
const steps = methods.flatMap((method) => {
  const own = rows.filter((one) => one.method === method).toSorted((a, b) => a.keptTokens - b.keptTokens);
  const ladder = [...own, { budget: 'all tokens', answers: whole }];
  return ladder.slice(1).map(({ budget, answers }, i) => {
    const { budget: from, answers: fewer } = ladder[i];
    const difference = meanDifference(...pairs(fewer, answers));
    return { method, from, budget, difference };
  });
});
const falls = steps.filter(({ difference }) => difference.value < 0);
console.log(`\nOf ${steps.length} steps to a larger budget, the score falls at ${falls.length}`);
for (const { method, from, budget, difference } of falls) {
  const { value, low, high } = difference;
  console.log(`- ${method}, ${from} to ${budget}: ${percent(value)} (${percent(low)} to ${percent(high)})`);
}
