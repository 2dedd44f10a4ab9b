// Multiple-choice and yes-or-no tasks on the original files of their datasets: a few made-up rows in the official formats.

import { describe, expect, it } from 'vitest';
import { CorruptFileError, MissingFileError } from '../src/data/index.js';
import { getTask } from '../src/tasks/index.js';
import { collect, imageBytes, imageText, jsonLines, tsv, writeFolder } from './data-writers.js';
import { type Files, load, seen } from './official-samples.js';

describe('POPE', () => {
  const line = (id: number, label: string): object => ({
    question_id: id,
    image: 'COCO_val2014_000000000001.jpg',
    text: 'Is there a dog in the image?',
    label,
  });
  const files = {
    'coco/coco_pope_random.json': jsonLines([line(1, 'yes'), line(2, 'no')]),
    'coco/coco_pope_popular.json': jsonLines([line(1, 'no')]),
    'val2014/COCO_val2014_000000000001.jpg': imageBytes(),
  };
  it('reads its JSON lines, a file per category', async () => {
    const samples = await load('pope', files);
    expect(samples.map(({ id }) => id)).toEqual(['popular/1', 'random/1', 'random/2']);
    expect(seen(samples[1]!)).toEqual({
      id: 'random/1',
      images: ['COCO_val2014_000000000001.jpg'],
      question: 'Is there a dog in the image?',
      kind: 'random',
      target: 'yes',
    });
    expect(samples[0]!.images[0]!.id).toBe(samples[1]!.images[0]!.id);
    expect(new Uint8Array(await samples[0]!.images[0]!.read())).toEqual(imageBytes());
  });
  it('reads a single one of its files', async () => {
    const folder = writeFolder({ ...files, 'coco/COCO_val2014_000000000001.jpg': imageBytes() });
    const samples = await collect(getTask('pope').load({ from: `${folder}/coco/coco_pope_random.json` }));
    expect(samples.map(({ id }) => id)).toEqual(['random/1', 'random/2']);
  });
  it('names the line that refers to a missing image', async () => {
    const { 'val2014/COCO_val2014_000000000001.jpg': _, ...rest } = files;
    await expect(load('pope', rest)).rejects.toThrow(
      /'COCO_val2014_000000000001\.jpg'.*coco_pope_popular\.json, line 1/,
    );
    await expect(load('pope', rest)).rejects.toBeInstanceOf(MissingFileError);
  });
  it('names the damaged line', async () => {
    const broken = {
      ...files,
      'coco/coco_pope_random.json': `${jsonLines([line(1, 'yes')])}{"question_id": 2,`,
    };
    await expect(load('pope', broken)).rejects.toThrow(/coco_pope_random\.json, line 2: is not JSON/);
    await expect(load('pope', broken)).rejects.toBeInstanceOf(CorruptFileError);
  });
});

describe('GQA', () => {
  it('reads its object of questions', async () => {
    const samples = await load('gqa', {
      'questions/testdev_balanced_questions.json': {
        '201307251': {
          question: 'Is it overcast?',
          imageId: 'n161313',
          answer: 'no',
          fullAnswer: 'No, it is not overcast.',
          types: { structural: 'verify', semantic: 'global' },
        },
      },
      'images/n161313.jpg': imageBytes(),
    });
    expect(samples.map(seen)).toEqual([
      { id: '201307251', images: ['n161313.jpg'], question: 'Is it overcast?', kind: 'verify', target: 'no' },
    ]);
  });
});

describe('MMBench', () => {
  const row = (index: number, image: string): Record<string, string> => ({
    index: String(index),
    question: 'Which "one"\nis it?',
    hint: '',
    A: 'a cat',
    B: 'a dog',
    C: '',
    D: '',
    answer: 'A',
    category: 'object_localization',
    image,
    source: 'made',
    'l2-category': 'finegrained_perception',
    comment: '',
    split: 'dev',
  });
  const rows = [
    row(241, imageText(1)),
    row(1000241, '241'),
    row(242, imageText(2)),
    row(1000242, imageText(2)),
  ];

  it('reads its TSV: base64, references to other rows, quoted cells', async () => {
    const samples = await load('mmbench', { 'mmbench_dev_20231003.tsv': tsv(rows) });
    expect(seen(samples[0]!)).toEqual({
      id: '241',
      images: ['sha1-'],
      question: 'Which "one"\nis it?',
      options: ['a cat', 'a dog'],
      kind: 'object_localization',
      group: '241',
      target: {
        answer: 'A',
        options: { A: 'a cat', B: 'a dog', C: 'nan', D: 'nan' },
        hint: 'nan',
        index: 241,
        l2Category: 'finegrained_perception',
      },
    });
    expect(samples[1]!.images[0]!.id).toBe(samples[0]!.images[0]!.id);
    expect(samples[1]!.images[0]!.id).not.toBe(samples[2]!.images[0]!.id);
  });
  it('keeps rotations together under a limit', async () => {
    const interleaved = [rows[0]!, rows[2]!, rows[1]!, rows[3]!];
    const limited = await load('mmbench', { 'MMBench_DEV_EN.tsv': tsv(interleaved) }, { limit: 1 });
    expect(limited.map(({ id }) => id)).toEqual(['241', '1000241']);
  });
  it('names a row that refers to a missing row', async () => {
    const lost = load('mmbench', { 'mmbench_dev_20231003.tsv': tsv([row(1, '999')]) });
    await expect(lost).rejects.toThrow(/line 2: image: there is no row '999'/);
  });
});

describe('MME', () => {
  it('reads both layouts of its folders', async () => {
    const root = 'MME_Benchmark_release_version';
    const samples = await load('mme', {
      [`${root}/count/0001.txt`]:
        'Is there a cat? Please answer yes or no.\tYes\r\nAre there two? Please answer yes or no.\tNo\r\n',
      [`${root}/count/0001.jpg`]: imageBytes(1),
      [`${root}/posters/questions_answers_YN/tt1.txt`]: 'Is it a film? Please answer yes or no.\tNo\n',
      [`${root}/posters/images/tt1.png`]: imageBytes(2),
      [`${root}/readme.txt`]: 'no question',
    });
    expect(samples.map(seen)).toEqual([
      {
        id: 'count/0001.jpg#0',
        images: ['0001.jpg'],
        question: 'Is there a cat?',
        kind: 'count',
        group: 'count/0001.jpg',
        target: 'yes',
      },
      {
        id: 'count/0001.jpg#1',
        images: ['0001.jpg'],
        question: 'Are there two?',
        kind: 'count',
        group: 'count/0001.jpg',
        target: 'no',
      },
      {
        id: 'posters/tt1.png#2',
        images: ['tt1.png'],
        question: 'Is it a film?',
        kind: 'posters',
        group: 'posters/tt1.png',
        target: 'no',
      },
    ]);
  });
  it('reports invalid text files', async () => {
    await expect(load('mme', { 'count/1.txt': 'Is it?\tYes' })).rejects.toThrow(/1\.txt: .*image/);
    await expect(load('mme', { 'count/1.txt': 'Is it? Yes', 'count/1.png': imageBytes() })).rejects.toThrow(
      /count\/1\.txt, line 1: expected a question, a tab/,
    );
  });
});

describe('ScienceQA', () => {
  const problem = {
    question: 'Which?',
    choices: ['x', 'y'],
    answer: 1,
    hint: 'Look.',
    subject: 'social science',
  };
  const files = {
    'problems.json': {
      '5': { ...problem, image: 'image.png', split: 'test' },
      '6': { ...problem, image: null, split: 'test' },
      '7': { ...problem, image: 'image.png', split: 'train' },
      '15': { ...problem, image: 'image.png', split: 'test' },
    },
    'test/5/image.png': imageBytes(5),
    'test/15/image.png': imageBytes(15),
  };
  it.each<[string, Files]>([
    ['the splits of problems.json', files],
    ['pid_splits.json', { ...files, 'pid_splits.json': { train: ['7'], test: ['5', '6', '15'] } }],
  ])('reads problems with images, by %s', async (_, given) => {
    const samples = await load('scienceqa-img', given);
    expect(samples.map(({ id }) => id)).toEqual(['5', '15']);
    expect(new Uint8Array(await samples[0]!.images[0]!.read())).toEqual(imageBytes(5));
    expect(seen(samples[1]!)).toEqual({
      id: '15',
      images: ['image.png'],
      question: 'Which?',
      options: ['x', 'y'],
      kind: 'social science',
      target: { letter: 'B', hint: 'Look.' },
    });
    expect(new Uint8Array(await samples[1]!.images[0]!.read())).toEqual(imageBytes(15));
  });
});

describe('SEED-Bench', () => {
  it('reads image questions, but not video questions', async () => {
    const question = {
      answer: 'A',
      choice_a: 'One',
      choice_b: 'Two',
      choice_c: 'Three',
      choice_d: 'Four',
      data_id: '1454426_2591111986',
      data_type: 'image',
      question: 'How many?',
      question_id: '101669',
      question_type_id: 5,
    };
    const samples = await load('seedbench', {
      'SEED-Bench.json': {
        questions: [question, { ...question, data_type: 'video', data_id: 'v.mp4', segment: [1, 2] }],
        question_type: { 'Instances Counting': 5 },
      },
      'SEED-Bench-image/1454426_2591111986': imageBytes(),
    });
    expect(samples.map(seen)).toEqual([
      {
        id: '101669',
        images: ['1454426_2591111986'],
        question: 'How many?',
        options: ['One', 'Two', 'Three', 'Four'],
        kind: 'Instances Counting',
        target: { letter: 'A', dataType: 'image' },
      },
    ]);
  });
});

describe('MMStar', () => {
  it('reads its TSV, with the options in the question or beside it', async () => {
    const row = {
      index: '7',
      question: 'Which?',
      image: imageText(),
      answer: 'A',
      category: 'math',
      l2_category: 'geometry',
    };
    const samples = await load('mmstar', { 'MMStar.tsv': tsv([row]) });
    expect(samples.map(seen)).toEqual([
      {
        id: '7',
        images: ['sha1-'],
        question: 'Which?',
        kind: 'math',
        target: { letter: 'A', l2Category: 'geometry' },
      },
    ]);
    const { l2_category, ...rest } = row;
    const beside = { ...rest, A: 'x', B: 'y', C: 'z', D: 'w', 'l2-category': l2_category };
    const [sample] = await load('mmstar', { 'MMStar.tsv': tsv([beside]) });
    expect(sample).toMatchObject({
      question: 'Which?\nOptions: A: x, B: y, C: z, D: w',
      target: { l2Category: 'geometry' },
    });
  });
});

describe('anything else', () => {
  const names = [
    'gqa',
    'mmbench',
    'mme',
    'pope',
    'mmmu',
    'chartqa',
    'vizwiz',
    'docvqa',
    'mmstar',
    'seedbench',
  ];
  it.each(names)('is rejected by %s, which says what it expects', async (name) => {
    const { source } = getTask(name);
    await expect(load(name, { 'notes.md': 'hello' })).rejects.toMatchObject({ code: 'MMTOK_UNKNOWN_FORMAT' });
    await expect(load(name, { 'notes.md': 'hello' })).rejects.toThrow(source.files);
  });
  it('a missing folder', async () => {
    await expect(collect(getTask('pope').load({ from: '/nowhere/at-all' }))).rejects.toThrow(
      /\/nowhere\/at-all/,
    );
  });
});
