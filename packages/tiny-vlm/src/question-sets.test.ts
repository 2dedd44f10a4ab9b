// The files of both question sets: complete, well formed, and as their documents say.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute } from 'node:path';
import { describe, expect, test } from 'vitest';
import { heldOut, readQuestions, samples } from './question-sets.js';
import { questionKinds, type VisualQuestion } from './visual-question.js';

describe.each([
  { name: 'samples', load: samples, questionCount: 29, imageCount: 6 },
  { name: 'heldOut', load: heldOut, questionCount: 400, imageCount: 80 },
])('$name', ({ load, questionCount, imageCount }) => {
  test('has the stated numbers of different questions and images, and every image file is asked about', async () => {
    const questions = await load();
    const images = new Set(questions.map(({ image }) => image));
    const folder = dirname(questions[0]!.image);
    const pngs = (await readdir(folder)).filter((name) => name.endsWith('.png'));
    expect(new Set(questions.map(({ image, question }) => `${image} ${question}`)).size).toBe(questionCount);
    expect(images.size).toBe(imageCount);
    expect([...images].map((image) => basename(image)).sort()).toEqual(pngs.sort());
    expect([...images].every(isAbsolute)).toBe(true);
  });

  test('questions are English sentences with one lower-case word as the answer', async () => {
    for (const { question, answer, kind } of await load()) {
      expect(question).toMatch(/^[A-Z][a-z ]+[a-z]\?$/);
      expect(answer).toMatch(/^[a-z]+$/);
      expect(questionKinds).toContain(kind);
    }
  });
});

test('heldOut has 50 questions of each kind, fits in 2 MB and shares no image with samples', async () => {
  const questions = await heldOut();
  const countOf = (kind: string) => questions.filter((question) => question.kind === kind).length;
  expect(questionKinds.map(countOf)).toEqual(questionKinds.map(() => 50));

  const sizes = await sizesOf(questions);
  const sampleSizes = await sizesOf(await samples());
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(2e6);
  expect(sizes.filter((size) => sampleSizes.includes(size))).toEqual([]);
});

test('a missing set says where it lies', async () => {
  const missing = readQuestions(new URL('./no-such-folder/', import.meta.url));
  await expect(missing).rejects.toMatchObject({
    code: 'MMTOK_QUESTIONS_MISSING',
    message: expect.stringMatching(/no-such-folder.*packages\/tiny-vlm\/heldout/),
  });
});

/** File sizes in bytes, one per image: equal images have equal sizes. */
async function sizesOf(questions: readonly VisualQuestion[]): Promise<number[]> {
  const images = [...new Set(questions.map(({ image }) => image))];
  return Promise.all(images.map(async (image) => (await stat(image)).size));
}
