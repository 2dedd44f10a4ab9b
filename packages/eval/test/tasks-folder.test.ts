// A task of the user's own: its file, its prompts, its scores, its complaints.

import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FolderTaskOptions, folderTask, type Sample } from '../src/tasks/index.js';
import { collect, jsonLines, picture, writeFolder } from './data-writers.js';

const folder = (lines: readonly object[]): string =>
  writeFolder({
    'questions.jsonl': jsonLines(lines),
    'photos/a.png': picture(1),
    'photos/b.png': picture(2),
  });
const load = (lines: readonly object[]): Promise<Sample[]> => collect(folderTask(folder(lines)).load());

const line = { image: 'a.png', question: 'What is it?', answer: 'A dog' };

describe('its file', () => {
  it('is one object a line', async () => {
    const from = folder([
      line,
      {
        id: 'x',
        images: ['a.png', 'photos/b.png'],
        question: 'Which?',
        answers: ['first', 'one'],
        kind: 'order',
      },
      { id: 3, image: ['b.png'], question: 'Which?', options: ['cat', 'dog'], answer: 'dog' },
    ]);
    const samples = await collect(folderTask(from).load());
    expect(
      samples.map(({ images, ...rest }) => ({ ...rest, images: images.map((i) => basename(i.path!)) })),
    ).toEqual([
      { id: '1', question: 'What is it?', target: ['A dog'], images: ['a.png'] },
      { id: 'x', question: 'Which?', target: ['first', 'one'], kind: 'order', images: ['a.png', 'b.png'] },
      { id: '3', question: 'Which?', options: ['cat', 'dog'], target: ['dog'], images: ['b.png'] },
    ]);
    expect(new Uint8Array(await samples[0]!.images[0]!.read())).toEqual(picture(1));
  });
  it.each<[object, RegExp]>([
    [{ ...line, question: '' }, /questions\.jsonl, line 2: question: /],
    [{ question: 'q', answer: 'a' }, /line 2: .*expected an image/],
    [{ image: 'a.png', question: 'q' }, /line 2: .*expected an answer or answers/],
    [{ ...line, anwser: 'b' }, /line 2: .*anwser/],
    [{ ...line, options: ['cat', 'dog'] }, /line 2: .*expected the answer to be one of the options/],
    [
      { ...line, options: ['cat', 'dog'], answer: 'cat', answers: ['zzz'] },
      /line 2: .*expected one answer to a question with options/,
    ],
    [{ ...line, image: '../a.png' }, /no picture '\.\.\/a\.png'/],
    [{ ...line, image: 'c.png' }, /no picture 'c\.png', which questions\.jsonl, line 2 asks for/],
  ])('is checked: %j', async (bad, message) => {
    await expect(load([line, bad])).rejects.toThrow(message);
  });
  it('numbers its lines as an editor does, empty ones too', async () => {
    const from = writeFolder({
      'questions.jsonl': `\n\n${JSON.stringify(line)}\n\n${JSON.stringify(line)}\n`,
      'a.png': picture(),
    });
    const samples = await collect(folderTask(from).load());
    expect(samples.map(({ id }) => id)).toEqual(['3', '5']);
  });
  it('has no id twice', async () => {
    const message =
      "questions.jsonl, line 2: its id 'x' is that of questions.jsonl, line 1; give each line an id of its own";
    await expect(
      load([
        { ...line, id: 'x' },
        { ...line, id: 'x' },
      ]),
    ).rejects.toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
    await expect(load([{ ...line, id: 2 }, line])).rejects.toThrow(/line 2: its id '2' is that of .*line 1/);
  });
  it('names pictures as paths are written', async () => {
    const samples = await load([
      { ...line, image: './a.png' },
      { ...line, image: './photos/../photos/b.png' },
    ]);
    expect(samples.map(({ images }) => basename(images[0]!.path!))).toEqual(['a.png', 'b.png']);
  });
  it('is not what a run left in the folder', async () => {
    const run = { 'run.json': '{}', 'records.jsonl': '{}' };
    const files = { 'questions.jsonl': jsonLines([line]), 'a.png': picture() };
    const within = Object.fromEntries(Object.entries(run).map(([name, text]) => [`results/${name}`, text]));
    for (const left of [run, within]) {
      expect(await collect(folderTask(writeFolder({ ...files, ...left })).load())).toHaveLength(1);
    }
  });
  it('is the only one, and is there', async () => {
    const none = writeFolder({ 'a.png': picture() });
    await expect(collect(folderTask(none).load())).rejects.toThrow(/expected one \.jsonl file/);
    const two = writeFolder({ 'a.jsonl': '', 'b.jsonl': '' });
    await expect(collect(folderTask(two).load())).rejects.toThrow(
      /expected one \.jsonl file, found .*a\.jsonl.*b\.jsonl/,
    );
  });
  it('may be empty', async () => {
    expect(await load([])).toEqual([]);
  });
});

describe('prompts', () => {
  const sample: Sample<readonly string[]> = { id: '1', images: [], question: 'Which?', target: ['x'] };
  it('ask like the benchmarks', () => {
    const task = folderTask('photos');
    expect(task.name).toBe('photos');
    expect(task.prompt(sample)).toBe('Which?\nAnswer the question using a single word or phrase.');
    expect(task.prompt({ ...sample, options: ['cat', 'dog'] })).toBe(
      "Which?\nA. cat\nB. dog\nAnswer with the option's letter from the given choices directly.",
    );
  });
  it('end with an instruction of your own', () => {
    expect(folderTask('photos', { instruction: '' }).prompt(sample)).toBe('Which?');
  });
});

describe('scores', () => {
  const value = (options: FolderTaskOptions, text: string, target: string[], choices?: string[]): number =>
    folderTask('photos', options).score(text, {
      id: '1',
      images: [],
      question: 'q',
      target,
      ...(choices && { options: choices }),
    }).value;
  it.each<[FolderTaskOptions, string, string[], number]>([
    [{}, ' A dog. ', ['cat', 'a dog'], 1],
    [{}, 'It is a dog', ['a dog'], 0],
    [{ match: 'contains' }, 'It is A Dog', ['a dog'], 1],
    [{ match: 'contains' }, 'It is a cat', ['a dog'], 0],
    [{ match: 'vqa' }, 'two', ['2', '2', '2', '2'], 1],
    [{ match: 'relaxed' }, '101', ['100'], 1],
    [{ match: 'anls' }, 'helo', ['hello'], 0.8],
  ])('%j: %s', (options, text, target, expected) => {
    expect(value(options, text, target)).toBeCloseTo(expected, 12);
  });
  it.each([
    ['B', 1],
    ['The answer is (B).', 1],
    ['Dog', 1],
    ['A', 0],
    ['no idea', 0],
  ])('of options: %s', (text, expected) => {
    expect(value({}, text, ['dog'], ['cat', 'dog'])).toBe(expected);
    expect(value({}, text, ['B'], ['cat', 'dog'])).toBe(expected);
  });
  it('of options: nothing read is never right', () => {
    expect(value({}, '???', ['zzz'], ['cat', 'dog'])).toBe(0);
  });
  it('are summarised by kind', () => {
    const task = folderTask('photos');
    const answers = [1, 0, 1].map((score, index) => ({
      id: String(index),
      kind: index === 2 ? 'b' : 'a',
      score: { value: score },
    }));
    expect(task.aggregate(answers)).toEqual({
      count: 3,
      metric: 'accuracy',
      value: 2 / 3,
      metrics: { accuracy: 2 / 3, 'accuracy/a': 0.5, 'accuracy/b': 1 },
    });
  });
});

it('refuses options of the wrong form', () => {
  expect(() => folderTask('photos', { match: 'fuzzy' } as unknown as FolderTaskOptions)).toThrow(
    /options of folderTask: match: /,
  );
});
