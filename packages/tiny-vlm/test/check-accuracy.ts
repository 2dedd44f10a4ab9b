// The card's claims about accuracy, checked on as many held-out questions as a test has time for.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { evaluate, type ModelSize, questionKinds, type TinyVlm, tiledQuestionKinds } from '../src/node.js';
import { heldOutAnswers } from './held-out-answers.js';

/** Accuracy at most where every question gets another scene's picture. */
const GUESSING = 0.55;

/** Accuracy at least that the card states. */
const LEAST: Readonly<Record<ModelSize, number>> = { base: 0.9, small: 0.9, tiled: 0.85 };

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

/** Accuracy on the first `limit` questions lies within three standard errors of what the README states for all. */
export async function checkAccuracy(size: ModelSize, limit: number, vlm: TinyVlm): Promise<void> {
  const questions = await heldOutAnswers(size, limit, vlm);
  const given = new Map(questions.map((each) => [`${each.image} ${each.question}`, each.given]));
  const answer = async (image: string, question: string) => given.get(`${image} ${question}`) ?? '';
  const { overall, byKind } = await evaluate({ answer, questions });
  const stated = statedAccuracy('**all**', size);
  expect(Object.keys(byKind)).toEqual([...(size === 'tiled' ? tiledQuestionKinds : questionKinds)]);
  expect(stated).toBeGreaterThan(LEAST[size]);
  expect(overall.total).toBe(limit);
  expect(Math.abs(overall.accuracy - stated)).toBeLessThanOrEqual(
    3 * Math.sqrt((stated * (1 - stated)) / limit),
  );
}

/** With the pictures of other scenes accuracy collapses. */
export async function checkGuessing(size: ModelSize, limit: number, vlm: TinyVlm): Promise<void> {
  const questions = (await heldOutAnswers(size, limit, vlm)).filter((_, index) => index % 3 === 0);
  const swapped = questions.map((question, index) => ({
    ...question,
    image: questions.at(index - 7)!.image,
  }));
  const { overall } = await evaluate({ answer: vlm.ask, questions: swapped });
  expect(overall.accuracy).toBeLessThan(GUESSING);
}

/** What the README's table of accuracy states for a kind and a model, from 0 to 1. */
function statedAccuracy(kind: string, size: ModelSize): number {
  const rows = readme.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const head = rows.find((cells) => cells.includes('questions') && cells.includes(size)) ?? [];
  const row = rows.find((cells) => cells[1] === kind && cells.length === head.length) ?? [];
  return Number.parseFloat(row[head.indexOf(size)] ?? '') / 100;
}
