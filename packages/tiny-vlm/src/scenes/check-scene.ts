// Checks that hand-written scenes have every field that is drawn. Otherwise they would be drawn black, or as a different scene.
import { TinyVlmError } from '../tiny-vlm-error.js';
import { signCharacters } from './glyphs.js';
import type { Background, Scene, Thing } from './scene.js';

/** A larger image is assumed to be a mistake. */
const MAX_SIDE = 4096;

const MARKS: readonly unknown[] = ['none', 'dot', 'bar'] satisfies Thing['mark'][];

const PATTERNS: readonly unknown[] = ['plain', 'stripes', 'checks'] satisfies Background['pattern'][];

/** Fields that are drawn, and how many numbers each has. Shapes are looked up when they are drawn. */
const BACKGROUND = {
  rgb: 3,
  gradient: 2,
  blotch: 1,
  contrast: 1,
  period: 1,
  cos: 1,
  sin: 1,
  grain: 1,
  seed: 1,
};
const THING = { x: 1, y: 1, radius: 1, cos: 1, sin: 1, rgb: 3, shade: 2 };

/** @throws TinyVlmError `MMTOK_INVALID_SCENE` that names the field, and what it must be. */
export function checkScene(scene: Scene): void {
  const { background, objects, clutter, side } = (scene as Partial<Scene> | null | undefined) ?? {};
  if (side !== undefined && !(Number.isInteger(side) && side >= 1 && side <= MAX_SIDE)) {
    throw invalid('side', `a whole number from 1 to ${MAX_SIDE}`, side);
  }
  checkNumbers('background', background, BACKGROUND);
  const { pattern, period } = background as Background;
  if (!PATTERNS.includes(pattern)) {
    throw invalid('background.pattern', `one of ${PATTERNS.join(', ')}`, pattern);
  }
  if (pattern !== 'plain' && period <= 0) throw invalid('background.period', 'a number above 0', period);
  for (const [name, things] of Object.entries({ objects, clutter })) {
    if (!Array.isArray(things)) throw invalid(name, 'an array', things);
    for (const [at, thing] of (things as Partial<Thing>[]).entries()) {
      checkNumbers(`${name}[${at}]`, thing, THING);
      if ((thing.radius as number) <= 0)
        throw invalid(`${name}[${at}].radius`, 'a number above 0', thing.radius);
      checkWriting(`${name}[${at}]`, thing);
    }
  }
}

function checkWriting(name: string, { mark, text }: Partial<Thing>): void {
  if (mark !== undefined && !MARKS.includes(mark)) {
    throw invalid(`${name}.mark`, `one of ${MARKS.join(', ')}`, mark);
  }
  if (
    text !== undefined &&
    !(typeof text === 'string' && [...text].every((one) => signCharacters.includes(one)))
  ) {
    throw invalid(`${name}.text`, `characters among ${signCharacters.join(' ')}`, text);
  }
}

function checkNumbers(name: string, value: unknown, counts: Readonly<Record<string, number>>): void {
  if (typeof value !== 'object' || value === null) throw invalid(name, 'an object', value);
  for (const [field, count] of Object.entries(counts)) {
    const given = (value as Readonly<Record<string, unknown>>)[field];
    const numbers = count === 1 ? [given] : given;
    if (Array.isArray(numbers) && numbers.length === count && numbers.every(Number.isFinite)) continue;
    throw invalid(`${name}.${field}`, count === 1 ? 'a number' : `an array of ${count} numbers`, given);
  }
}

function invalid(field: string, expected: string, given: unknown): TinyVlmError {
  const shown = typeof given === 'number' ? String(given) : JSON.stringify(given);
  return new TinyVlmError(
    'MMTOK_INVALID_SCENE',
    `Cannot draw the scene: expected ${field} to be ${expected}, got ${shown}`,
  );
}
