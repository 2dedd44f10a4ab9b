// The precomputed examples: one for each sample image, and the sample questions.

import type { PrecomputedExample } from '../lib/types.js';
import first from '../precomputed/5.json' with { type: 'json' };

const rest = import.meta.glob<{ default: PrecomputedExample }>([
  '../precomputed/*.json',
  '!../precomputed/5.json',
]);

/** Number of sample images. */
export const SAMPLES = 6;

/** The file of a sample image. */
export const sampleKey = (scene: number): string => `${scene}.png`;

/** The URL of a sample image. */
export const sampleUrl = (key: string): string => new URL(`tiny-vlm/samples/${key}`, document.baseURI).href;

/** The example that the first view shows: it comes with the page's own code. */
export const firstExample = first as unknown as PrecomputedExample;

/** The precomputed example of a sample image. */
export async function exampleOf(key: string): Promise<PrecomputedExample | undefined> {
  if (key === firstExample.image) return firstExample;
  return (await rest[`../precomputed/${key.replace('.png', '.json')}`]?.())?.default;
}

let questions: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

/** The questions that come with each sample image. */
export async function sampleQuestions(key: string): Promise<readonly string[]> {
  questions ??= fetch(new URL('tiny-vlm/samples/questions.jsonl', document.baseURI)).then(
    async (response) => {
      const byImage = new Map<string, string[]>();
      for (const line of (await response.text()).trim().split('\n')) {
        const { image, question } = JSON.parse(line) as { image: string; question: string };
        byImage.set(image, [...(byImage.get(image) ?? []), question]);
      }
      return byImage;
    },
  );
  return (await questions).get(key) ?? [];
}
