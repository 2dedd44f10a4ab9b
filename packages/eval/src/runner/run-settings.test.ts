import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { fakeTask } from '../../test/fake-run.js';
import { imageFile } from '../data/folder.js';
import type { Sample } from '../tasks/task.js';
import { joinQuestions, QuestionDigests, type RunQuestions } from './run-settings.js';

const task = fakeTask(0);
const folder = temporary();
writeFileSync(join(folder, 'a.png'), 'one');
writeFileSync(join(folder, 'b.png'), 'two');

const sample = (id: string, more: Partial<Sample> = {}): Sample => ({
  id,
  images: [imageFile(join(folder, 'a.png'))],
  question: 'What is it?',
  target: ['a dog'],
  ...more,
});
const questionsOf = async (samples: Sample[], isRandom = false): Promise<RunQuestions> => {
  const digests = new QuestionDigests({ isRandom, skips: false });
  await digests.add(task, samples);
  return digests.questions;
};
const digestOf = async (...samples: Sample[]): Promise<string> => (await questionsOf(samples)).digest;

describe('the digest of questions', () => {
  it('depends on ids, prompts, images, and gold answers', async () => {
    const digests = await Promise.all(
      [
        sample('1'),
        sample('2'),
        sample('1', { question: 'Who is it?' }),
        sample('1', { target: ['a cat'] }),
        sample('1', { images: [imageFile(join(folder, 'b.png'))] }),
        sample('1', { images: [] }),
      ].map((one) => digestOf(one)),
    );
    expect(new Set(digests).size).toBe(6);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  it('depends on the contents of images rather than their paths', async () => {
    const moved = temporary();
    cpSync(folder, moved, { recursive: true });
    const there = sample('1', { images: [imageFile(join(moved, 'a.png'))] });
    expect(await digestOf(there)).toBe(await digestOf(sample('1')));
    writeFileSync(join(moved, 'a.png'), 'six');
    expect(await digestOf(there)).not.toBe(await digestOf(sample('1')));
  });

  it('ignores order, and shards combine to the digest of the whole', async () => {
    const [one, two, three] = [sample('1'), sample('2'), sample('3')];
    expect(await digestOf(one, two, three)).toBe(await digestOf(three, one, two));
    expect(joinQuestions([await questionsOf([two], true), await questionsOf([one, three], true)])).toEqual(
      await questionsOf([one, two, three], true),
    );
  });
});
