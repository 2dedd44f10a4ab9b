// Where the words of a question about another image cost answers: by whether the image shows what they name. Reads the records of
// trade-off.mjs, which must be about the question set in packages/tiny-vlm (decision 9 says how to make validation questions).
//   node bench/foreign-text.mjs base.jsonl [--model base|small|tiled] [--setting "auto 3"]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { meanDifference } from '../dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string', default: 'base' }, setting: { type: 'string', default: 'auto 3' } },
});

const linesOf = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const folder = new URL(
  `../../tiny-vlm/${values.model === 'tiled' ? 'heldout-tiled' : 'heldout'}/`,
  import.meta.url,
);
const [questions, scenes] = ['questions.jsonl', 'scenes.jsonl'].map((name) => linesOf(new URL(name, folder)));

/** The values of each attribute, as scenes have them. */
const known = Object.fromEntries(
  ['size', 'color', 'shape'].map((attribute) => [
    attribute,
    new Set(scenes.flatMap(({ objects }) => objects.map((object) => object[attribute]))),
  ]),
);

/** The things that a question names, such as "the small red circle", as attributes. */
function named(question) {
  const things = [];
  let thing = {};
  for (const word of question.toLowerCase().match(/[a-z]+/g)) {
    const attribute = Object.keys(known).find(
      (one) => known[one].has(word) || known[one].has(singular(word)),
    );
    if (attribute !== undefined) thing[attribute] = known[attribute].has(word) ? word : singular(word);
    const ends = attribute === undefined || attribute === 'shape';
    if (!ends || Object.keys(thing).length === 0) continue;
    things.push(thing);
    thing = {};
  }
  // "Is it large or small?" names no thing.
  return things.filter(({ color, shape }) => color !== undefined || shape !== undefined);
}

function singular(word) {
  return word.replace(/(ss)es$|s$/, '$1');
}

const GROUPS = [
  'a thing it names is shown',
  'only a color or shape is shown',
  'nothing it names is shown',
  'it names no thing',
];

/** Which of {@link GROUPS} a question is in for an image that it is not about. */
function groupOf(question, { objects }) {
  const things = named(question);
  if (things.length === 0) return GROUPS[3];
  const shows = (pairs, quantifier) =>
    objects.some((object) => pairs[quantifier](([attribute, value]) => object[attribute] === value));
  if (things.some((thing) => shows(Object.entries(thing), 'every'))) return GROUPS[0];
  const looks = ({ color, shape }) => Object.entries({ color, shape });
  return things.some((thing) => shows(looks(thing), 'some')) ? GROUPS[1] : GROUPS[2];
}

const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const percent = (share) => (100 * share).toFixed(1);
const records = positionals.flatMap(linesOf);
const groups = records.map(({ question, other }) =>
  groupOf(questions[other].question, scenes[questions[question].scene]),
);
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
    share(({ evidence }) => evidence.other <= 0.9),
    share(({ evidence }) => evidence.other >= 1),
    points(values.setting),
    points('focus 4'),
  ];
  console.log(`| ${group} | ${own.length} | ${cells.join(' | ')} |`);
}
