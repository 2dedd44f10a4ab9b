// A trivial task and model for tests of the runner: 4 × 4 tokens per image, and answers that reveal what was kept.

import { resolveBudget } from '@mmtok/core/internal';
import { syntheticFeatures, syntheticText } from '@mmtok/core/testing';
import type { EvalModel, Task } from '../src/index.js';

/** `count` questions about two images, every other one about the other image. */
export function fakeTask(count: number): Task<string> {
  return {
    name: 'fake',
    title: 'Fake',
    source: { url: 'https://example.org', files: 'none' },
    maxNewTokens: 1,
    maxScore: 1,
    async *load({ limit = count, shard } = {}) {
      for (let at = 0; at < Math.min(limit, count); at++) {
        if (shard && at % shard.count !== shard.index) continue;
        yield {
          id: `question-${at}`,
          images: [{ id: `image-${at % 2}`, read: async () => new Uint8Array() }],
          question: `What is number ${at}?`,
          kind: at % 3 === 0 ? 'third' : 'other',
          target: 'yes',
        };
      }
    },
    prompt: ({ question }) => question,
    referenceAnswer: ({ target }) => target,
    score: (answer, { target }) => ({ value: answer === target ? 1 : 0, parsed: answer }),
    aggregate: (answers) => {
      const value = answers.reduce((sum, { score }) => sum + score.value, 0) / Math.max(1, answers.length);
      return { count: answers.length, metric: 'accuracy', value, metrics: { accuracy: value } };
    },
  };
}

/** A model that is right with all tokens, and with pruned ones if token 0 or 5 is among them. */
export function fakeModel(delayMs = 0): { readonly model: EvalModel; readonly encoded: string[] } {
  const encoded: string[] = [];
  let current = '';
  const model: EvalModel = {
    name: 'fake',
    async answer({ images, prompt, words = [], prune }) {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const id = images.map((image) => image.id).join();
      const isNew = id !== current;
      if (isNew) encoded.push(id);
      current = id;
      const map = { height: 4, width: 4, clusters: 3, noise: 0.4, common: 0.5, seed: id.length };
      const vision = syntheticFeatures({ ...map, dim: 8 });
      const text = syntheticText(vision, 2 + words.length, prompt.length);
      const grid = [4, 4] as const;
      const budget = [prune?.budget].flat()[0];
      const tokens = budget ? resolveBudget(budget, 16).max : 16;
      const kept =
        prune && tokens < 16
          ? await prune.select({ vision, text, grid, imageIndex: 0 }, tokens)
          : Array.from({ length: 16 }, (_, token) => token);
      const ascending = [...kept].sort((a, b) => a - b);
      return {
        text: ascending.includes(0) || ascending.includes(5) ? 'yes' : 'no',
        images: [{ visionTokens: 16, indices: ascending, grid }],
        timings: { encodeMs: isNew ? 10 : 0, prefillMs: 2 * ascending.length, decodeMs: 1 },
      };
    },
  };
  return { model, encoded };
}
