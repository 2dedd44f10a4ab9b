// The held-out questions are complete, well formed, balanced, and have images.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { heldOut } from './held-out.js';
import { signCharacters } from './scenes/glyphs.js';
import { questionKinds, tiledQuestionKinds, type VisualQuestion } from './visual-question.js';

const countOf = (questions: readonly VisualQuestion[], kind: string): number =>
  questions.filter((question) => question.kind === kind).length;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mmtok-held-out-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('there are 200 different questions of each kind, and every image exists', async () => {
  const questions = await heldOut();
  expect(questionKinds.map((kind) => countOf(questions, kind))).toEqual(questionKinds.map(() => 200));
  expect(questions).toHaveLength(200 * questionKinds.length);
  const asked = new Set(questions.map(({ image, question }) => `${image} ${question}`));
  expect(asked.size).toBe(questions.length);
  const images = new Set(questions.map(({ image }) => image));
  for (const image of images) expect((await stat(image)).size).toBeGreaterThan(1000);
});

test('questions are English sentences, and answers are lowercase words', async () => {
  for (const { question, answer, kind } of await heldOut()) {
    expect(question).toMatch(/^[A-Z][a-z ]+[a-z][?.]$/);
    expect(answer).toMatch(kind === 'description' ? /^[a-z]+( [a-z]+)+$/ : /^[a-z]+$/);
  }
});

test('for the tiled model, there are 100 different questions of each of its kinds', async () => {
  const questions = await heldOut({ size: 'tiled' });
  expect(tiledQuestionKinds.map((kind) => countOf(questions, kind))).toEqual(
    tiledQuestionKinds.map(() => 100),
  );
  expect(questions).toHaveLength(100 * tiledQuestionKinds.length);
  const asked = new Set(questions.map(({ image, question }) => `${image} ${question}`));
  expect(asked.size).toBe(questions.length);
  for (const { question, answer, kind } of questions) {
    expect(question).toMatch(/^[A-Z][a-z ]+[a-z][?.]$/);
    if (kind === 'reading') {
      const characters = answer.split(' ');
      expect(characters.length).toBeLessThanOrEqual(3);
      for (const character of characters) expect(signCharacters).toContain(character);
    }
  }
});

test('a limited set has its share of each kind, and draws only the images it needs, into the given folder', async () => {
  const questions = await heldOut({ limit: 45, folder });
  const images = [...new Set(questions.map(({ image }) => image))];
  expect(questions).toHaveLength(45);
  for (const kind of questionKinds) expect(Math.abs(countOf(questions, kind) - 5)).toBeLessThanOrEqual(1);
  expect(new Set(images.map((image) => dirname(image)))).toEqual(new Set([folder]));
  expect((await readdir(folder)).sort()).toEqual(images.map((image) => basename(image)));
});

test("images go into the user's cache folder, under a key of their content", async () => {
  vi.stubEnv('XDG_CACHE_HOME', folder);
  const [question] = await heldOut({ limit: 1 });
  vi.unstubAllEnvs();
  expect(dirname(dirname(question!.image))).toBe(join(folder, 'mmtok'));
  expect(basename(dirname(question!.image))).toMatch(/^held-out-[0-9a-f]{12}$/);
});

test.each([0, -1, 2.5, Number.NaN])('rejects the limit %d', async (limit) => {
  await expect(heldOut({ limit })).rejects.toMatchObject({
    code: 'MMTOK_INVALID_OPTIONS',
    message: expect.stringContaining(`limit ${limit}`),
  });
});
