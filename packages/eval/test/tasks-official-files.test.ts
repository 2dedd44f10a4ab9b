// Every task on the original files of its dataset: a few rows in the official formats, made by us.

import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CorruptFileError, MissingFileError } from '../src/data/index.js';
import { getTask, type LoadOptions, type Sample } from '../src/tasks/index.js';
import { collect, jsonLines, picture, pictureText, tsv, writeFolder } from './data-writers.js';

type Files = Parameters<typeof writeFolder>[0];

const load = (name: string, files: Files, options: LoadOptions = {}): Promise<Sample[]> =>
  collect(getTask(name).load({ from: writeFolder(files), ...options }));

/** A sample with its pictures as file names, to compare. */
function seen({ images, ...sample }: Sample): object {
  return {
    ...sample,
    images: images.map(({ path, id }) => (path === undefined ? id.slice(0, 5) : basename(path))),
  };
}

const answers = (...list: string[]): { answer: string; answer_confidence: string; answer_id: number }[] =>
  list.map((answer, index) => ({ answer, answer_confidence: 'yes', answer_id: index + 1 }));

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
    'val2014/COCO_val2014_000000000001.jpg': picture(),
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
    expect(new Uint8Array(await samples[0]!.images[0]!.read())).toEqual(picture());
  });
  it('reads a single one of its files', async () => {
    const folder = writeFolder({ ...files, 'coco/COCO_val2014_000000000001.jpg': picture() });
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
      'images/n161313.jpg': picture(),
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
    row(241, pictureText(1)),
    row(1000241, '241'),
    row(242, pictureText(2)),
    row(1000242, pictureText(2)),
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
      [`${root}/count/0001.jpg`]: picture(1),
      [`${root}/posters/questions_answers_YN/tt1.txt`]: 'Is it a film? Please answer yes or no.\tNo\n',
      [`${root}/posters/images/tt1.png`]: picture(2),
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
    await expect(load('mme', { 'count/1.txt': 'Is it? Yes', 'count/1.png': picture() })).rejects.toThrow(
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
    'test/5/image.png': picture(5),
    'test/15/image.png': picture(15),
  };
  it.each<[string, Files]>([
    ['the splits of problems.json', files],
    ['pid_splits.json', { ...files, 'pid_splits.json': { train: ['7'], test: ['5', '6', '15'] } }],
  ])('reads problems with images, by %s', async (_, given) => {
    const samples = await load('scienceqa-img', given);
    expect(samples.map(({ id }) => id)).toEqual(['5', '15']);
    expect(new Uint8Array(await samples[0]!.images[0]!.read())).toEqual(picture(5));
    expect(seen(samples[1]!)).toEqual({
      id: '15',
      images: ['image.png'],
      question: 'Which?',
      options: ['x', 'y'],
      kind: 'social science',
      target: { letter: 'B', hint: 'Look.' },
    });
    expect(new Uint8Array(await samples[1]!.images[0]!.read())).toEqual(picture(15));
  });
});

describe('VQAv2', () => {
  const questions = {
    'v2_OpenEnded_mscoco_val2014_questions.json': {
      questions: [{ image_id: 42, question: 'What color?', question_id: 42000 }],
    },
    'val2014/COCO_val2014_000000000042.jpg': picture(),
  };
  const annotation = {
    question_id: 42000,
    image_id: 42,
    answer_type: 'other',
    answers: answers('red', 'blue'),
  };
  it('joins questions and annotations', async () => {
    const samples = await load('vqav2', {
      ...questions,
      'v2_mscoco_val2014_annotations.json': { annotations: [annotation] },
    });
    expect(samples.map(seen)).toEqual([
      {
        id: '42000',
        images: ['COCO_val2014_000000000042.jpg'],
        question: 'What color?',
        kind: 'other',
        target: ['red', 'blue'],
      },
    ]);
  });
  it('says which question has no annotation', async () => {
    const alone = { ...questions, 'v2_mscoco_val2014_annotations.json': { annotations: [] } };
    await expect(load('vqav2', alone)).rejects.toThrow(/entry 1: .*question_id 42000/);
  });
});

describe('TextVQA', () => {
  const files = {
    'TextVQA_0.5.1_val.json': {
      data: [
        {
          question_id: 34602,
          image_id: '003a8ae2',
          question: 'what is the brand?',
          answers: ['nous', 'nous'],
        },
      ],
    },
    'train_images/003a8ae2.jpg': picture(),
  };
  it('reads its questions', async () => {
    const samples = await load('textvqa', files);
    expect(samples.map(seen)).toEqual([
      {
        id: '34602',
        images: ['003a8ae2.jpg'],
        question: 'what is the brand?',
        target: { answers: ['nous', 'nous'], ocrTokens: [] },
      },
    ]);
  });
  it('reads and requires OCR tokens if the task has them in the prompt', async () => {
    const ocr = { data: [{ image_id: '003a8ae2', ocr_tokens: ['DAKOTA', 'x'] }] };
    const [sample] = await load('textvqa-ocr', { ...files, 'TextVQA_Rosetta_OCR_v0.2_val.json': ocr });
    expect(sample!.target).toEqual({ answers: ['nous', 'nous'], ocrTokens: ['DAKOTA', 'x'] });
    expect(getTask('textvqa-ocr').prompt(sample!)).toContain('\nReference OCR token: DAKOTA, x\n');
    await expect(load('textvqa-ocr', files)).rejects.toThrow(
      /expected .*TextVQA_Rosetta_OCR_v0\.2_val\.json/,
    );
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
      'SEED-Bench-image/1454426_2591111986': picture(),
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

describe('VizWiz', () => {
  it('reads its annotations', async () => {
    const entry = {
      image: 'VizWiz_val_00000000.jpg',
      question: 'What is this?',
      answers: [{ answer: 'basil', answer_confidence: 'yes' }],
      answer_type: 'other',
      answerable: 1,
    };
    const samples = await load('vizwiz', {
      'Annotations/val.json': [entry],
      'val/VizWiz_val_00000000.jpg': picture(),
    });
    expect(samples.map(seen)).toEqual([
      {
        id: 'VizWiz_val_00000000.jpg',
        images: ['VizWiz_val_00000000.jpg'],
        question: 'What is this?',
        kind: 'other',
        target: ['basil'],
      },
    ]);
    await expect(load('vizwiz', { 'val.json': [{ ...entry, answers: 'basil' }] })).rejects.toThrow(
      /val\.json, entry 1: answers: .*expected array/,
    );
  });
});

describe('OCRBench', () => {
  it('reads answers that are text or a list', async () => {
    const entry = {
      dataset_name: 'IIIT5K',
      question: 'what?',
      type: 'Regular Text Recognition',
      image_path: 'a/1.png',
    };
    const samples = await load('ocrbench', {
      'OCRBench/OCRBench.json': [
        { ...entry, answers: 'Private' },
        { ...entry, answers: ['x', 'y'] },
      ],
      'OCRBench_Images/a/1.png': picture(),
    });
    expect(samples.map(({ target }) => target)).toEqual([
      { answers: ['Private'], dataset: 'IIIT5K' },
      { answers: ['x', 'y'], dataset: 'IIIT5K' },
    ]);
  });
});

describe('MMStar', () => {
  it('reads its TSV, with the options in the question or beside it', async () => {
    const row = {
      index: '7',
      question: 'Which?',
      image: pictureText(),
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

describe('ChartQA', () => {
  it('reads both halves of its test split', async () => {
    const samples = await load('chartqa', {
      'test/test_human.json': [{ imgname: '1.png', query: 'How many?', label: '14' }],
      'test/test_augmented.json': [{ imgname: '1.png', query: 'What year?', label: '2019' }],
      'test/png/1.png': picture(),
    });
    expect(samples.map(seen)).toEqual([
      { id: '0', images: ['1.png'], question: 'What year?', kind: 'augmented', target: '2019' },
      { id: '1', images: ['1.png'], question: 'How many?', kind: 'human', target: '14' },
    ]);
  });
});

describe('DocVQA', () => {
  it('reads its questions', async () => {
    const samples = await load('docvqa', {
      'val_v1.0_withQT.json': {
        dataset_name: 'SP-DocVQA',
        data: [
          {
            questionId: 49153,
            question: 'Which year?',
            question_types: ['handwritten', 'form'],
            image: 'documents/pybv0228_81.png',
            docId: 14465,
            answers: ['1999'],
          },
        ],
      },
      'documents/pybv0228_81.png': picture(),
    });
    expect(samples.map(seen)).toEqual([
      {
        id: '49153',
        images: ['pybv0228_81.png'],
        question: 'Which year?',
        kind: 'handwritten',
        target: ['1999'],
      },
    ]);
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
  it.each(names)('is refused by %s, which says what it expects', async (name) => {
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
