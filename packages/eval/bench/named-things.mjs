// Which things a question of the embedded benchmarks names, and whether the image of another question shows them. Reads the questions
// and scenes in packages/tiny-vlm.
import { readFileSync } from 'node:fs';

/** What an image shows of the things that a question names. */
export const GROUPS = [
  'a thing it names is shown',
  'only a color or shape is shown',
  'nothing it names is shown',
  'it names no thing',
];

/** The records of a file, one JSON object per line. */
export function linesOf(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

const singular = (word) => word.replace(/(ss)es$|s$/, '$1');

/** For a model's questions, by index: which of {@link GROUPS} the words of question `other` are in for the image of question `at`. */
export function readGroups(model) {
  const folder = new URL(
    `../../tiny-vlm/${model === 'tiled' ? 'heldout-tiled' : 'heldout'}/`,
    import.meta.url,
  );
  const [questions, scenes] = ['questions.jsonl', 'scenes.jsonl'].map((name) =>
    linesOf(new URL(name, folder)),
  );
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
  return (other, at) => {
    const { objects } = scenes[questions[at].scene];
    const things = named(questions[other].question);
    if (things.length === 0) return GROUPS[3];
    const shows = (pairs, quantifier) =>
      objects.some((object) => pairs[quantifier](([attribute, value]) => object[attribute] === value));
    if (things.some((thing) => shows(Object.entries(thing), 'every'))) return GROUPS[0];
    const looks = ({ color, shape }) => Object.entries({ color, shape });
    return things.some((thing) => shows(looks(thing), 'some')) ? GROUPS[1] : GROUPS[2];
  };
}
