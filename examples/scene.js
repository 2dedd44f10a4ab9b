// A stand-in for a vision encoder, so that the examples run in an instant: 12 × 12 vision tokens of an image with a cup and a
// plant in front of a wall. With a real model, use the features that it computes (see prune-a-model.js).

const rows = 12;
const columns = 12;
const dim = 16;

/** Repeatable numbers between -1 and 1. @param {number} seed */
const noise = (seed) => ((Math.sin(seed * 12.9898) * 43758.5453) % 1) ** 3;

/** The direction of all tokens that show one thing. @param {number} seed */
const direction = (seed) => Float32Array.from({ length: dim }, (_, i) => noise(seed * 100 + i));

/** Word embeddings: each has the direction of the tokens that show its thing. */
export const words = { cup: direction(1), plant: direction(2), wall: direction(3) };

/** @param {number} token */
function thingAt(token) {
  const row = Math.floor(token / columns);
  const column = token % columns;
  if (row >= 2 && row < 5 && column >= 1 && column < 4) return 'cup';
  if (row >= 5 && row < 10 && column >= 6 && column < 10) return 'plant';
  return 'wall';
}

/** `[rows, columns]` of the tokens. */
export const grid = /** @type {const} */ ([rows, columns]);

/** The thing that each token shows, `[n]`. */
export const things = Array.from({ length: rows * columns }, (_, token) => thingAt(token));

/** The vision tokens `[n, D]`. */
export const vision = things.map((thing, token) =>
  words[thing].map((value, i) => value + 0.4 * noise(7000 + token * dim + i)),
);

/**
 * The image as text: the first letter of what each token shows, upper case where the token was kept, a dot where not.
 * @param {readonly number[]} kept
 */
export function draw(kept) {
  const cells = things.map((thing, token) => (kept.includes(token) ? thing.charAt(0).toUpperCase() : '·'));
  return Array.from({ length: rows }, (_, row) =>
    cells.slice(row * columns, (row + 1) * columns).join(' '),
  ).join('\n');
}

/**
 * How many kept tokens show a thing.
 * @param {readonly number[]} kept
 * @param {keyof typeof words} thing
 */
export const count = (kept, thing) => kept.filter((token) => things[token] === thing).length;
