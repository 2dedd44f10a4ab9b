// The README's claims about accuracy, checked on hundreds of held-out questions. Each is answered once for all tests.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  heldOut,
  loadTinyVlm,
  questionKinds,
  type TinyVlm,
  tiledQuestionKinds,
  type VisualQuestion,
} from '../src/node.js';

const QUESTIONS = 360;
/** The README must state at least this accuracy. */
const LEAST = { base: 0.9, small: 0.9, tiled: 0.9 } as const;
/** Maximum accuracy if every question gets another scene's image. */
const GUESSING = 0.55;
/** Time for hundreds of answers on a busy machine, in ms. */
const PATIENCE = 1_800_000;

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

describe.each(['base', 'small', 'tiled'] as const)('%s', (size) => {
  let vlm: TinyVlm;
  let questions: readonly VisualQuestion[];
  const ask = (image: string, question: string): Promise<string> => vlm.ask(image, question);
  beforeAll(async () => {
    vlm = await loadTinyVlm({ size });
    questions = await heldOut({ size, limit: QUESTIONS });
  });
  afterAll(() => vlm.model.dispose());

  test(
    `answers ${QUESTIONS} held-out questions as well as the README states`,
    async () => {
      const { overall, byKind } = await evaluate({ answer: ask, questions });
      const stated = statedAccuracy('**all**', size);
      expect(Object.keys(byKind)).toEqual([...(size === 'tiled' ? tiledQuestionKinds : questionKinds)]);
      expect(stated).toBeGreaterThan(LEAST[size]);
      expect(overall.total).toBe(QUESTIONS);
      // Within three standard errors.
      expect(Math.abs(overall.accuracy - stated)).toBeLessThanOrEqual(
        3 * Math.sqrt((stated * (1 - stated)) / QUESTIONS),
      );
    },
    PATIENCE,
  );

  test(
    'depends on the image: accuracy collapses with the images of other scenes',
    async () => {
      const some = questions.filter((_, index) => index % 3 === 0);
      const swapped = some.map((question, index) => ({ ...question, image: some.at(index - 7)!.image }));
      const { overall } = await evaluate({ answer: ask, questions: swapped });
      expect(overall.accuracy).toBeLessThan(GUESSING);
    },
    PATIENCE,
  );
});

/** What the README's table of accuracy states for a kind and a model, from 0 to 1. */
function statedAccuracy(kind: string, size: string): number {
  const rows = readme.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const head = rows.find((cells) => cells.includes('questions') && cells.includes(size)) ?? [];
  const row = rows.find((cells) => cells[1] === kind && cells.length === head.length) ?? [];
  return Number.parseFloat(row[head.indexOf(size)] ?? '') / 100;
}
