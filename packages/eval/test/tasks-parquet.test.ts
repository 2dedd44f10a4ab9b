// Every task on parquet files with the columns of its dataset on the Hub, and its prompt against the golden data.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Profile } from '../src/metrics/index.js';
import { getTask, type Sample, type Task } from '../src/tasks/index.js';
import { answerTexts, DATASETS } from './data-hub-datasets.js';
import {
  collect,
  hubImage,
  image,
  imageBytes,
  imageText,
  parquet,
  struct,
  text,
  writeFolder,
} from './data-writers.js';

type Values = Readonly<Record<string, unknown>>;

/** Loads copies of the dataset's row with some values replaced. */
async function load(name: string, rows: readonly Values[], task: Task = getTask(name)): Promise<Sample[]> {
  const { file, columns, row } = DATASETS[name === 'textvqa-ocr' ? 'textvqa' : name]!;
  const full = rows.map((values) => ({
    ...('image' in columns && { image: hubImage() }),
    ...row,
    ...values,
  }));
  return collect(task.load({ from: writeFolder({ [file]: parquet(columns, full) }) }));
}

// The sample made from each dataset's row.
const SAMPLES: Readonly<Record<string, Partial<Sample>>> = {
  pope: { id: 'random/1', question: 'Is there a dog?', kind: 'random', target: 'yes' },
  mmbench: {
    id: '1000241',
    question: 'What is it?',
    options: ['a cat', 'a dog'],
    kind: 'object',
    group: '241',
    target: {
      answer: 'A',
      options: { A: 'a cat', B: 'a dog', C: 'nan', D: 'nan' },
      hint: 'nan',
      index: 1000241,
      l2Category: 'perception',
    },
  },
  mme: {
    id: 'count/1.png#0',
    question: 'Is this a cat?',
    kind: 'count',
    group: 'count/1.png',
    target: 'yes',
  },
  'scienceqa-img': {
    id: '0',
    question: 'Which one?',
    options: ['x', 'y', 'z'],
    kind: 'natural science',
    target: { letter: 'B', hint: '' },
  },
  vqav2: { id: '262148000', question: 'Where is he looking?', kind: 'other', target: answerTexts },
  textvqa: {
    id: '34602',
    question: 'what is NASA?',
    target: { answers: answerTexts, ocrTokens: ['X', 'y'] },
  },
  mmmu: {
    id: 'validation_Art_Theory_3',
    question: '<image 1> How much?',
    options: ['$5', '<image 2>'],
    kind: 'Art_Theory',
    target: { answer: 'B', isOpen: false },
  },
  seedbench: {
    id: '101669',
    question: 'How many?',
    options: ['One', 'Two', 'Three', 'Four'],
    kind: 'Action Recognition',
    target: { letter: 'C', dataType: 'video' },
  },
  vizwiz: { id: 'VizWiz_val_0.jpg', question: 'What Is this?', kind: 'other', target: answerTexts },
  ocrbench: {
    id: '0',
    question: 'what is written in the image?',
    kind: 'Regular Text Recognition',
    target: { answers: ['Private'], dataset: 'IIIT5K' },
  },
  mmstar: {
    id: '7',
    question: 'Which?\nOptions: A: x, B: y',
    kind: 'math',
    target: { letter: 'A', l2Category: 'geometry' },
  },
  chartqa: { id: '0', question: 'How many?', kind: 'human', target: '14' },
  docvqa: { id: '49153', question: 'Which year?', kind: 'table/list', target: ['1999', '99'] },
};

describe('the columns of the Hub', () => {
  it.each(Object.keys(DATASETS))('%s', async (name) => {
    const [sample, ...more] = await load(name, [{}]);
    const { images, ...rest } = sample!;
    expect(more).toEqual([]);
    expect(rest).toEqual(SAMPLES[name]);
    const numbers = name === 'mmmu' || name === 'seedbench' ? [1, 2] : [0];
    const read = await Promise.all(images.map((source) => source.read()));
    expect(read.map((bytes) => Buffer.from(bytes))).toEqual(numbers.map((n) => Buffer.from(imageBytes(n))));
    expect(images[0]!.id).toMatch(/^sha1-/);
  });

  it.each(Object.keys(DATASETS))('%s has a true answer that scores full marks', async (name) => {
    const task = getTask(name);
    const [sample] = await load(name, [{}]);
    const referenceAnswer = task.referenceAnswer?.(sample!);
    expect(referenceAnswer).not.toBe('');
    expect(task.score(referenceAnswer!, sample!).value).toBe(1);
  });

  it('joins the two tables of GQA, whatever their order', async () => {
    const questions = {
      id: text,
      imageId: text,
      question: text,
      answer: text,
      types: struct({ structural: text }),
    };
    const row = (id: string, imageId: string): Values => ({
      id,
      imageId,
      question: 'Is it overcast?',
      answer: 'no',
      types: { structural: 'verify' },
    });
    const folder = (rows: Values[]): string =>
      writeFolder({
        'testdev_balanced_instructions/testdev-00000-of-00001.parquet': parquet(questions, rows),
        'testdev_balanced_images/testdev-00000-of-00001.parquet': parquet({ id: text, image }, [
          { id: 'n7', image: hubImage(7) },
          { id: 'n8', image: hubImage(8) },
        ]),
      });
    const from = folder([row('1', 'n8'), row('2', 'n7'), row('3', 'n8')]);
    const samples = await collect(getTask('gqa').load({ from }));
    expect(getTask('gqa').referenceAnswer?.(samples[0]!)).toBe('no');
    expect(samples[0]).toMatchObject({ id: '1', question: 'Is it overcast?', kind: 'verify', target: 'no' });
    expect(Buffer.from(await samples[1]!.images[0]!.read())).toEqual(Buffer.from(imageBytes(7)));
    expect(samples[2]!.images[0]!.id).toBe(samples[0]!.images[0]!.id);
    expect(await collect(getTask('gqa').load({ from, limit: 2, seed: 1 }))).toHaveLength(2);
    await expect(collect(getTask('gqa').load({ from: folder([row('4', 'n9')]) }))).rejects.toThrow(
      /row 1: .*'n9'/,
    );
  });

  it('gives equal images equal ids, so that they are encoded once', async () => {
    const samples = await load('pope', [{}, {}, { image: hubImage(5) }]);
    const ids = samples.map((sample) => sample.images[0]!.id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it('names file, row, and column of an invalid value', async () => {
    await expect(load('pope', [{}, { question: null }])).rejects.toThrow(
      /test-00000-of-00003-abc\.parquet, row 2: question: .*expected string, received null/,
    );
    await expect(load('docvqa', [{ image: null }])).rejects.toThrow(/row 1: image: /);
    await expect(load('mmmu', [{ options: 'A, B' }])).rejects.toThrow(/options: .*got A, B/);
    await expect(load('mmmu', [{ image_2: null }])).rejects.toThrow(/image_2: .*<image 2>/);
  });
});

interface PromptCase {
  readonly doc: Values;
  readonly kwargs: Readonly<Record<string, unknown>> | null;
  readonly expected: string;
}

const golden: Readonly<Record<string, readonly PromptCase[]>> = JSON.parse(
  readFileSync(new URL('data/metrics-golden.json', import.meta.url), 'utf8'),
).prompts;

const TASK_OF: Readonly<Record<string, string>> = { scienceqa_img: 'scienceqa-img' };

// The golden data also has prompts for specific models, which the tasks do not offer.
const isDefault = ({ kwargs, expected }: PromptCase): boolean =>
  kwargs?.format !== 'qwen_vl' && !/Answer:$|Yes or No\.$|Please answer yes or no\.$/.test(expected);

const cases = Object.entries(golden).flatMap(([key, list]) =>
  list.filter(isDefault).map((entry) => {
    const task = TASK_OF[key] ?? (entry.kwargs?.ocr === true ? 'textvqa-ocr' : key);
    return { task, ...entry };
  }),
);

describe('prompts', () => {
  it('cover every task', () => {
    expect(new Set(cases.map(({ task }) => task)).size).toBe(15);
  });
  it.each(cases.filter(({ task }) => task !== 'gqa'))('$task: $expected', async ({ task, doc, expected }) => {
    const { index, choices, ...values } = doc;
    const open = doc.question_type === 'open';
    const row = {
      ...values,
      ...(choices !== undefined && { choices, answer: 0 }),
      ...(typeof index === 'number' && { index: BigInt(index) }),
      ...(open && { image_1: hubImage(1), image_2: hubImage(2) }),
    };
    const [sample] = await load(task, [row]);
    expect(getTask(task).prompt(sample!)).toBe(expected);
  });
  it.each(cases.filter(({ task }) => task === 'gqa'))('$task: $expected', ({ doc, expected }) => {
    const sample = { id: '1', images: [], question: String(doc.question), target: '' };
    expect(getTask('gqa').prompt(sample)).toBe(expected);
  });
  it.each<[Profile, string]>([
    ['lmms-eval-0.3.4', 'Where is he looking?'],
    ['latest', 'Where is he looking?\nAnswer the question using a single word or phrase.'],
  ])('of VQAv2 in %s', async (profile, expected) => {
    const task = getTask('vqav2', { profile });
    const [sample] = await load('vqav2', [{}], task);
    expect(task.prompt(sample!)).toBe(expected);
  });
});

describe('base64 images', () => {
  it('are read too', async () => {
    const { columns, row } = DATASETS.chartqa!;
    const file = parquet({ ...columns, image: text }, [{ ...row, image: imageText(3) }]);
    const [sample] = await collect(getTask('chartqa').load({ from: writeFolder({ 'test.parquet': file }) }));
    expect(Buffer.from(await sample!.images[0]!.read())).toEqual(Buffer.from(imageBytes(3)));
  });
});
