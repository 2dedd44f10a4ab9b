// The sample images of the embedded models, their questions, and a precomputed example for each.

import type { EmbeddedSize, PrecomputedExample } from '../lib/types.js';
import first from '../precomputed/5.json' with { type: 'json' };

const rest = import.meta.glob<{ default: PrecomputedExample }>([
  '../precomputed/**/*.json',
  '!../precomputed/5.json',
]);

/** The samples of one embedded model. */
interface SampleSet {
  /** Their folder on this site. */
  readonly folder: string;
  /** What their keys start with. */
  readonly prefix: string;
  /** The numbers of the scenes, in the order of the page. */
  readonly scenes: readonly number[];
  /** How many vision tokens an image has. */
  readonly visionTokens: number;
  /** How many of them the page keeps at first. */
  readonly kept: number;
}

const SETS: Readonly<Record<EmbeddedSize, SampleSet>> = {
  base: { folder: 'samples', prefix: '', scenes: [5, 4, 3, 2, 1, 0], visionTokens: 576, kept: 57 },
  tiled: {
    folder: 'samples-tiled',
    prefix: 'signs/',
    scenes: [2, 0, 4, 1, 3, 5],
    visionTokens: 272,
    kept: 27,
  },
};

/** How many vision tokens an embedded model has for an image, and how many the page keeps at first. */
export const tokensOf = (size: EmbeddedSize): Pick<SampleSet, 'visionTokens' | 'kept'> => SETS[size];

/** The keys of a model's sample images, in the order of the page: `'5.png'` or `'signs/0.png'`. */
export const sampleKeys = (size: EmbeddedSize): readonly string[] =>
  SETS[size].scenes.map((scene) => `${SETS[size].prefix}${scene}.png`);

/** The model whose sample an image is. */
export const sizeOf = (key: string): EmbeddedSize => (key.startsWith(SETS.tiled.prefix) ? 'tiled' : 'base');

const urlOf = (size: EmbeddedSize, name: string): URL =>
  new URL(`tiny-vlm/${SETS[size].folder}/${name}`, document.baseURI);

/** The URL of a sample image. */
export const sampleUrl = (key: string): string =>
  urlOf(sizeOf(key), key.slice(SETS[sizeOf(key)].prefix.length)).href;

/** The example that the first view shows: it is part of the page's own code. */
export const firstExample = first as unknown as PrecomputedExample;

/** The precomputed example of a sample image. */
export async function exampleOf(key: string): Promise<PrecomputedExample | undefined> {
  if (key === firstExample.image) return firstExample;
  return (await rest[`../precomputed/${key.replace('.png', '.json')}`]?.())?.default;
}

type Questions = ReadonlyMap<string, readonly string[]>;
const questions = new Map<EmbeddedSize, Promise<Questions>>();

/** The questions about a sample image. */
export async function sampleQuestions(key: string): Promise<readonly string[]> {
  const size = sizeOf(key);
  const known = questions.get(size) ?? readQuestions(size);
  questions.set(size, known);
  return (await known).get(key) ?? [];
}

async function readQuestions(size: EmbeddedSize): Promise<Questions> {
  const response = await fetch(urlOf(size, 'questions.jsonl'));
  const byKey = new Map<string, string[]>();
  for (const line of (await response.text()).trim().split('\n')) {
    const { image, question } = JSON.parse(line) as { image: string; question: string };
    const key = `${SETS[size].prefix}${image}`;
    byKey.set(key, [...(byKey.get(key) ?? []), question]);
  }
  return byKey;
}
