// Where the words of a question about another image cost answers: by whether the image shows what they name. Reads the records of
// trade-off.mjs, which must be about the question set in packages/tiny-vlm (decision 9 says how to make validation questions).
//   node bench/foreign-text.mjs base.jsonl [--model base|small|tiled] [--setting auto]
import { parseArgs } from 'node:util';
import { meanDifference } from '../dist/index.js';
import { GROUPS, linesOf, readGroups } from './named-things.mjs';
import { mean, percent } from './records.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string', default: 'base' }, setting: { type: 'string', default: 'auto' } },
});
const groupOf = readGroups(values.model);
const records = positionals.flatMap(linesOf);
const groups = records.map(({ question, other }) => groupOf(other, question));
console.log(
  `| the other question | questions | no focus | full focus | ${values.setting}: points | focus 4: points |`,
);
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
for (const group of GROUPS) {
  const own = records.filter((_, at) => groups[at] === group);
  if (own.length === 0) continue;
  const share = (holds) => `${Math.round((100 * own.filter(holds).length) / own.length)} %`;
  const points = (setting) => {
    const of = (name) => own.map(({ scores }) => mean(scores[name]));
    const { value, low, high } = meanDifference(of('plain'), of(`other ${setting}`));
    return `${percent(value)} (${percent(low)} to ${percent(high)})`;
  };
  const cells = [
    share(({ strength }) => strength.other < 0.1),
    share(({ strength }) => strength.other > 2.9),
    points(values.setting),
    points('focus 4'),
  ];
  console.log(`| ${group} | ${own.length} | ${cells.join(' | ')} |`);
}
