// The samples are well formed, every image has questions, and none of their scenes is held out.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute } from 'node:path';
import { RawImage } from '@huggingface/transformers';
import { describe, expect, test } from 'vitest';
import { samples } from './samples.js';
import { questionKinds, tiledQuestionKinds } from './visual-question.js';

describe.each([
  { size: 'base', heldOut: 'held-out', kinds: questionKinds },
  { size: 'tiled', heldOut: 'held-out-tiled', kinds: tiledQuestionKinds },
] as const)('$size', async ({ size, heldOut, kinds }) => {
  const questions = await samples({ size });
  const images = [...new Set(questions.map(({ image }) => image))];

  test('every image of the folder has questions, and no question occurs twice', async () => {
    const pngs = (await readdir(dirname(questions[0]!.image))).filter((name) => name.endsWith('.png'));
    expect(new Set(questions.map(({ image, question }) => `${image} ${question}`)).size).toBe(
      questions.length,
    );
    expect(images.map((image) => basename(image)).sort()).toEqual(pngs.sort());
    expect(images.every(isAbsolute)).toBe(true);
  });

  test('questions are English sentences, and answers are lowercase words', () => {
    for (const { question, answer, kind } of questions) {
      expect(question).toMatch(/^[A-Z][a-z ]+[a-z][?.]$/);
      expect(answer).toMatch(kind === 'reading' ? /^[a-z0-9]( [a-z0-9])*$/ : /^[a-z]+( [a-z]+)*$/);
      expect(kinds).toContain(kind);
    }
  });

  test('no image shows a held-out scene', async () => {
    const file = new URL(`../test/fixtures/${heldOut}-pixels.txt`, import.meta.url);
    const measured = (await readFile(file, 'utf8')).trimEnd().split('\n');
    for (const image of images) {
      const { data } = await RawImage.read(image);
      expect(measured).not.toContain(createHash('sha256').update(data).digest('hex').slice(0, 16));
    }
  });
});
