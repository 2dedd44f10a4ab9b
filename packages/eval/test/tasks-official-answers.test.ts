// Tasks with short free answers on the original files of their datasets: a few made-up rows in the official formats.

import { describe, expect, it } from 'vitest';
import { getTask } from '../src/tasks/index.js';
import { imageBytes } from './data-writers.js';
import { answers, load, seen } from './official-samples.js';

describe('VQAv2', () => {
  const questions = {
    'v2_OpenEnded_mscoco_val2014_questions.json': {
      questions: [{ image_id: 42, question: 'What color?', question_id: 42000 }],
    },
    'val2014/COCO_val2014_000000000042.jpg': imageBytes(),
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
    'train_images/003a8ae2.jpg': imageBytes(),
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
      'val/VizWiz_val_00000000.jpg': imageBytes(),
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
      'OCRBench_Images/a/1.png': imageBytes(),
    });
    expect(samples.map(({ target }) => target)).toEqual([
      { answers: ['Private'], dataset: 'IIIT5K' },
      { answers: ['x', 'y'], dataset: 'IIIT5K' },
    ]);
  });
});

describe('ChartQA', () => {
  it('reads both halves of its test split', async () => {
    const samples = await load('chartqa', {
      'test/test_human.json': [{ imgname: '1.png', query: 'How many?', label: '14' }],
      'test/test_augmented.json': [{ imgname: '1.png', query: 'What year?', label: '2019' }],
      'test/png/1.png': imageBytes(),
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
      'documents/pybv0228_81.png': imageBytes(),
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
