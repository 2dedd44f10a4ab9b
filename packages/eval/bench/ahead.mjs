// How far one method of an evaluation is ahead of the others: points of score with 95 % intervals by paired bootstrap over the
// same questions, as a Markdown table. Its last row counts the methods that it is ahead of, level with, and behind, beyond the noise.
//   node bench/ahead.mjs <run>... [--of mmtok] [--without a,b]
import { parseArgs } from 'node:util';
import { meanDifference } from '../dist/index.js';
import { pairs, percent, readAnswers, titleOf } from './records.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { of: { type: 'string', default: 'mmtok' }, without: { type: 'string', default: '' } },
});
if (positionals.length === 0) throw new Error('Usage: node bench/ahead.mjs <run>... [--of mmtok]');

const { rows } = await readAnswers(positionals);
const own = rows.filter(({ method }) => method === values.of);
if (own.length === 0) throw new Error(`The runs have no answers of method '${values.of}'.`);
const without = [values.of, ...values.without.split(',')];
const others = [...new Set(rows.map(({ method }) => method))].filter((name) => !without.includes(name));

console.log(`| ${titleOf(values.of)} ahead of | ${own.map(({ budget }) => budget).join(' | ')} |`);
console.log(`| --- | ${own.map(() => '---:').join(' | ')} |`);
const counts = own.map(() => ({ ahead: 0, level: 0, behind: 0 }));
for (const method of others) {
  const cells = own.map(({ budget, answers }, at) => {
    const other = rows.find((row) => row.method === method && row.budget === budget);
    if (other === undefined) return '';
    const { value, low, high } = meanDifference(...pairs(other.answers, answers));
    counts[at][low > 0 ? 'ahead' : high < 0 ? 'behind' : 'level']++;
    return `${percent(value)} (${percent(low)} to ${percent(high)})`;
  });
  console.log(`| ${titleOf(method)} | ${cells.join(' | ')} |`);
}
const totals = counts.map(({ ahead, level, behind }) => `${ahead}, ${level}, ${behind}`);
console.log(`| ahead of, level with, behind | ${totals.join(' | ')} |`);
