// A folder as a task: its file, prompts, scores, and errors.

import { symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FolderTaskOptions, folderTask, type Sample } from '../src/tasks/index.js';
import { collect, imageBytes, jsonLines, writeFolder } from './data-writers.js';

const folder = (lines: readonly object[]): string =>
  writeFolder({
    'questions.jsonl': jsonLines(lines),
    'photos/a.png': imageBytes(1),
    'photos/b.png': imageBytes(2),
  });
const load = (lines: readonly object[]): Promise<Sample[]> => collect(folderTask(folder(lines)).load());

const line = { image: 'a.png', question: 'What is it?', answer: 'A dog' };

describe('its file', () => {
  it('has one object per line', async () => {
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
    expect(new Uint8Array(await samples[0]!.images[0]!.read())).toEqual(imageBytes(1));
  });
  it.each<[object, RegExp]>([
    [{ ...line, question: '' }, /questions\.jsonl, line 2: question: /],
    [{ question: 'q', answer: 'a' }, /line 2: .*expected an image/],
    [{ image: 'a.png', question: 'q' }, /line 2: .*expected an answer or answers/],
    [{ ...line, question: ' ' }, /line 2: question: .*empty/],
    [{ image: 'a.png', question: 'q', anwser: 'b' }, /line 2: has a key 'anwser'; did you mean 'answer'/],
    [{ ...line, option: ['a', 'b'] }, /line 2: has a key 'option'; did you mean 'options'/],
    [{ ...line, options: ['cat', 'cat '], answer: 'cat' }, /line 2: .*distinct options/],
    [{ ...line, answer: '  ' }, /line 2: .*'' .*'exact': .*empty/],
    [{ ...line, answer: null }, /line 2: .*expected an answer or answers/],
    [{ ...line, options: ['cat', 'dog'] }, /line 2: .*expected the answer to be one of the options/],
    [{ ...line, options: ['cat', 'dog'], answer: 'cat', answers: ['zzz'] }, /line 2: .*single answer/],
    [{ ...line, image: '../a.png' }, /'\.\.\/a\.png'/],
    [{ ...line, image: 'c.png' }, /'c\.png'.*questions\.jsonl, line 2/],
  ])('is checked: %j', async (bad, message) => {
    await expect(load([line, bad])).rejects.toThrow(message);
  });
  it('accepts numbers, nulls, and extra keys as pandas writes them', async () => {
    const samples = await load([
      { ...line, answer: 2, kind: null, options: null, answers: null, images: null, id: null, source: 'web' },
      { ...line, answer: 2.5, options: [2, 2.5, null].slice(0, 2), kind: 3, question_id: 7, image_id: 'x' },
      { ...line, answer: null, answers: [true, ' yes '], __proto: 1 },
    ]);
    expect(samples.map(({ images: _, ...rest }) => rest)).toEqual([
      { id: '1', question: 'What is it?', target: ['2'] },
      { id: '2', question: 'What is it?', target: ['2.5'], options: ['2', '2.5'], kind: '3' },
      { id: '3', question: 'What is it?', target: ['true', 'yes'] },
    ]);
  });
  it('may have a byte-order mark and CRLF; UTF-16 and other encodings are rejected', async () => {
    const json = JSON.stringify(line);
    const files = (questions: string | Uint8Array) =>
      writeFolder({ 'questions.jsonl': questions, 'a.png': imageBytes() });
    const read = (questions: string | Uint8Array) => collect(folderTask(files(questions)).load());
    expect(await read(`\ufeff${json}\r\n${json}\r\n`)).toHaveLength(2);
    await expect(read(Buffer.from(`\ufeff${json}`, 'utf16le'))).rejects.toThrow(
      'is UTF-16; save it as UTF-8',
    );
    await expect(read(Buffer.from(json, 'utf16le'))).rejects.toThrow('is UTF-16; save it as UTF-8');
    await expect(read(Buffer.from(json.replace('dog', 'd\xf6g'), 'latin1'))).rejects.toThrow('is not UTF-8');
  });
  it.each<[FolderTaskOptions, object, RegExp]>([
    [{ match: 'number' }, { answer: 'a few' }, /'a few' .*'number': .*not a number/],
    [{ match: 'choice' }, { answer: 'dog' }, /'choice': .*no options/],
    [{ match: 'vqa' }, { answer: 'dog' }, /'vqa': .*two annotators/],
  ])('rejects questions without a correct answer: %j, %j', async (options, more, message) => {
    const task = folderTask(folder([{ ...line, ...more }]), options);
    await expect(collect(task.load())).rejects.toThrow(message);
  });
  it('counts lines like an editor, including empty ones', async () => {
    const from = writeFolder({
      'questions.jsonl': `\n\n${JSON.stringify(line)}\n\n${JSON.stringify(line)}\n`,
      'a.png': imageBytes(),
    });
    const samples = await collect(folderTask(from).load());
    expect(samples.map(({ id }) => id)).toEqual(['3', '5']);
  });
  it('rejects duplicate ids', async () => {
    await expect(
      load([
        { ...line, id: 'x' },
        { ...line, id: 'x' },
      ]),
    ).rejects.toThrow(/questions\.jsonl, line 2: .*'x'.*questions\.jsonl, line 1/);
    await expect(load([{ ...line, id: 2 }, line])).rejects.toThrow(/line 2: .*'2'.*line 1/);
  });
  it('finds images whose names are in another Unicode form', async () => {
    const from = writeFolder({
      'questions.jsonl': jsonLines([
        { ...line, image: 'cafe\u0301.png' },
        { ...line, image: 'na\u00efve.png' },
      ]),
      'caf\u00e9.png': imageBytes(1),
      'nai\u0308ve.png': imageBytes(2),
    });
    const samples = await collect(folderTask(from).load());
    expect(new Uint8Array(await samples[0]!.images[0]!.read())).toEqual(imageBytes(1));
    expect(new Uint8Array(await samples[1]!.images[0]!.read())).toEqual(imageBytes(2));
  });
  it('rejects symbolic links out of the folder unless allowed', async () => {
    const outside = join(writeFolder({ 'secret.png': imageBytes(9) }), 'secret.png');
    for (const name of ['link.png', 'folder/link.png']) {
      const from = writeFolder({
        'questions.jsonl': jsonLines([{ ...line, image: name }]),
        'folder/a.png': imageBytes(),
      });
      symlinkSync(outside, join(from, name));
      await expect(collect(folderTask(from).load())).rejects.toMatchObject({ code: 'MMTOK_CORRUPT_FILE' });
      const [sample] = await collect(folderTask(from).load({ followLinks: true }));
      expect(new Uint8Array(await sample!.images[0]!.read())).toEqual(imageBytes(9));
    }
    const questions = writeFolder({ 'a.png': imageBytes() });
    symlinkSync(join(folder([line]), 'questions.jsonl'), join(questions, 'questions.jsonl'));
    await expect(collect(folderTask(questions).load())).rejects.toThrow('a symbolic link to a file outside');
  });
  it("accepts symbolic links within the folder and the Hub's cache", async () => {
    const from = folder([{ ...line, image: 'link.png' }]);
    symlinkSync(join('photos', 'a.png'), join(from, 'link.png'));
    expect(await collect(folderTask(from).load())).toHaveLength(1);
    const cache = writeFolder({
      'blobs/abc': imageBytes(3),
      'snapshots/1/questions.jsonl': jsonLines([line]),
    });
    symlinkSync(join('..', '..', 'blobs', 'abc'), join(cache, 'snapshots/1/a.png'));
    expect(await collect(folderTask(join(cache, 'snapshots/1')).load())).toHaveLength(1);
  });
  it('names images by relative paths', async () => {
    const samples = await load([
      { ...line, image: './a.png' },
      { ...line, image: './photos/../photos/b.png' },
    ]);
    expect(samples.map(({ images }) => basename(images[0]!.path!))).toEqual(['a.png', 'b.png']);
  });
  it("is not a run's own records", async () => {
    const run = { 'run.json': '{}', 'records.jsonl': '{}' };
    const files = { 'questions.jsonl': jsonLines([line]), 'a.png': imageBytes() };
    const within = Object.fromEntries(Object.entries(run).map(([name, text]) => [`results/${name}`, text]));
    for (const left of [run, within]) {
      expect(await collect(folderTask(writeFolder({ ...files, ...left })).load())).toHaveLength(1);
    }
  });
  it('must be the only one, and must exist', async () => {
    const none = writeFolder({ 'a.png': imageBytes() });
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
  it('use the instructions of the benchmarks', () => {
    const task = folderTask('photos');
    expect(task.name).toBe('photos');
    expect(task.prompt(sample)).toBe('Which?\nAnswer the question using a single word or phrase.');
    expect(task.prompt({ ...sample, options: ['cat', 'dog'] })).toBe(
      "Which?\nA. cat\nB. dog\nAnswer with the option's letter from the given choices directly.",
    );
  });
  it('end with your own instruction', () => {
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
    [{ match: 'contains' }, 'It is not there', ['no'], 0],
    [{ match: 'contains' }, 'The category is 15', ['cat', '5'], 0],
    [{ match: 'contains' }, 'That is 3.5 of -5, 5% or 1/5', ['5'], 0],
    [{ match: 'contains' }, 'I count 5.', ['5'], 1],
    [{ match: 'contains' }, 'これは猫です', ['猫'], 1],
    [{}, '35', ['3.5'], 0],
    [{}, '5', ['-5'], 0],
    [{}, '−5', ['-5'], 1],
    [{}, '12', ['1/2'], 0],
    [{}, '1/2.', ['1/2'], 1],
    [{}, '-', ['+'], 0],
    [{}, '', ['+'], 0],
    [{}, '!', ['?'], 0],
    [{}, '1.000', ['1000'], 0],
    [{}, '1,000', ['1000'], 1],
    [{}, '3.50', ['3.5'], 1],
    [{}, '5', ['5%'], 0],
    [{}, '5 %', ['5%'], 1],
    [{}, '1e3', ['13'], 0],
    [{}, '1e3', ['1000'], 1],
    [{}, 'x > 5', ['x < 5'], 0],
    [{}, 'C', ['C++'], 0],
    [{}, 'yes', ['yes '], 1],
    [{}, 'T-Shirt!', ['t shirt', 'tshirt'], 1],
    [{}, '“A  Dog”', ['a dog'], 1],
    [{}, 'cafe\u0301', ['café'], 1],
    [{}, '５', ['5'], 1],
    [{}, '１，０００', ['1000'], 1],
    [{}, '－５％', ['-5%'], 1],
    [{}, 'ﬁne', ['fine'], 1],
    [{}, 'ＣＡＴ', ['cat'], 1],
    [{}, '5 ㎏', ['5 kg'], 1],
    [{}, '10²', ['102'], 0],
    [{}, '10²', ['10²'], 1],
    [{}, '1½', ['11/2'], 0],
    [{}, 'H₂O', ['h₂o'], 1],
    [{ match: 'number' }, 'There are ３ dogs.', ['3'], 1],
    [{ match: 'number' }, '３', ['３'], 1],
    [{ match: 'contains' }, '１５ cats', ['5'], 0],
    [{ match: 'contains' }, 'It weighs ５ ㎏.', ['5 kg'], 1],
    // The metrics of benchmarks equal their official code.
    [{ match: 'vqa' }, '５', ['5', '5', '5', '5'], 0],
    [{ match: 'relaxed' }, 'ﬁne', ['fine'], 0],
    [{ match: 'anls' }, 'ﬁ', ['fi'], 0],
    [{ match: 'number' }, 'There are 3 dogs.', ['3'], 1],
    [{ match: 'number' }, '3 dogs and 2 cats', ['3'], 0],
    [{ match: 'number' }, 'about 50 %', ['0.5'], 1],
    [{ match: 'number' }, '$1,250.00', ['1250'], 1],
    [{ match: 'number' }, '-5 degrees', ['5'], 0],
    [{ match: 'number' }, '1/2', ['50%'], 1],
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
    ['（Ｂ）', 1],
    ['Ｄｏｇ', 1],
  ])('of options: %s', (text, expected) => {
    expect(value({}, text, ['dog'], ['cat', 'dog'])).toBe(expected);
    expect(value({}, text, ['B'], ['cat', 'dog'])).toBe(expected);
  });
  it.each<[string, string[], string, number]>([
    ['5', ['-5', '5'], '5', 1],
    ['3.5', ['35', '3.5'], '3.5', 1],
    ['35', ['35', '3.5'], '3.5', 0],
    ['B', ['-5', '5'], '5', 1],
    ['+', ['-', '+'], '+', 1],
    ['≤', ['<', '≤'], '≤', 1],
    ['1/2', ['12', '1/2'], '1/2', 1],
    ['5.', ['-5', '5'], '5', 1],
  ])('of options that are signs or numbers: %s of %j', (text, choices, gold, expected) => {
    expect(value({}, text, [gold], choices)).toBe(expected);
  });
  it('of options: an unparsed answer is never right', () => {
    expect(value({}, '???', ['zzz'], ['cat', 'dog'])).toBe(0);
  });
  it('are summarized by kind', () => {
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

it('rejects invalid options', () => {
  expect(() => folderTask('photos', { match: 'fuzzy' } as unknown as FolderTaskOptions)).toThrow(
    /options of folderTask: match: /,
  );
});
