// Small copies of the datasets on the Hub: each file's name and columns as published, with one made-up row.

import {
  bytes,
  type Column,
  hubImage,
  image,
  imageBytes,
  int32,
  int64,
  list,
  struct,
  text,
  texts,
} from './data-writers.js';

/** One dataset: the location of its file, its columns, and a row. A row without images gets one. */
export interface HubDataset {
  readonly file: string;
  readonly columns: Readonly<Record<string, Column>>;
  readonly row: Readonly<Record<string, unknown>>;
}

/** Ten annotators, four of whom say red. */
export const answerTexts = Array.from({ length: 10 }, (_, index) => (index < 4 ? 'red' : 'blue'));

const IMAGES = Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((number) => [`image_${number}`, image]));

/** By task. GQA, which has two tables, has its own test. */
export const DATASETS: Readonly<Record<string, HubDataset>> = {
  pope: {
    file: 'data/test-00000-of-00003-abc.parquet',
    columns: {
      id: text,
      question_id: text,
      question: text,
      answer: text,
      image_source: text,
      image,
      category: text,
    },
    row: { id: '0', question_id: '1', question: ' Is there a dog? ', answer: 'yes', category: 'random' },
  },
  mmbench: {
    file: 'en/dev-00000-of-00001.parquet',
    columns: {
      index: int64,
      question: text,
      hint: text,
      answer: text,
      A: text,
      B: text,
      C: text,
      D: text,
      category: text,
      image,
      source: text,
      'L2-category': text,
      comment: text,
      split: text,
    },
    row: {
      index: 1000241n,
      question: 'What is it?',
      hint: 'nan',
      answer: 'A',
      A: 'a cat',
      B: 'a dog',
      C: 'nan',
      D: null,
      category: 'object',
      'L2-category': 'perception',
    },
  },
  mme: {
    file: 'data/test-00000-of-00004-abc.parquet',
    columns: { question_id: text, image, question: text, answer: text, category: text },
    row: {
      question_id: 'count/1.png',
      question: 'Is this a cat? Please answer yes or no.',
      answer: 'Yes',
      category: 'count',
    },
  },
  'scienceqa-img': {
    file: 'data/ScienceQA-IMG/test-00000-of-00001.parquet',
    columns: {
      image,
      question: text,
      choices: texts,
      answer: int32,
      hint: text,
      subject: text,
      lecture: text,
    },
    row: {
      question: 'Which one?',
      choices: ['x', 'y', 'z'],
      answer: 1,
      hint: '',
      subject: 'natural science',
    },
  },
  vqav2: {
    file: 'data/validation-00000-of-00068.parquet',
    columns: {
      question_id: int64,
      question: text,
      answers: list(struct({ answer: text, answer_confidence: text, answer_id: int64 })),
      answer_type: text,
      image,
    },
    row: {
      question_id: 262148000n,
      question: 'Where is he looking?',
      answers: answerTexts.map((answer, index) => ({
        answer,
        answer_confidence: 'yes',
        answer_id: BigInt(index + 1),
      })),
      answer_type: 'other',
    },
  },
  textvqa: {
    file: 'data/validation-00000-of-00003.parquet',
    columns: { image_id: text, question_id: int32, question: text, image, answers: texts, ocr_tokens: texts },
    row: {
      image_id: 'a',
      question_id: 34602,
      question: 'what is NASA?',
      answers: answerTexts,
      ocr_tokens: ['X', 'y'],
    },
  },
  mmmu: {
    file: 'Art_Theory/validation-00000-of-00001.parquet',
    columns: { id: text, question: text, options: text, answer: text, question_type: text, ...IMAGES },
    row: {
      id: 'validation_Art_Theory_3',
      question: '<image 1> How much?',
      options: "['$5', '<image 2>']",
      answer: 'B',
      question_type: 'multiple-choice',
      image_1: hubImage(1),
      image_2: hubImage(2),
    },
  },
  seedbench: {
    file: 'data/test-00000-of-00031.parquet',
    columns: {
      question_id: text,
      question: text,
      choice_a: text,
      choice_b: text,
      choice_c: text,
      choice_d: text,
      answer: text,
      data_type: text,
      question_type_id: int32,
      image: list(image),
    },
    row: {
      question_id: '101669',
      question: 'How many?',
      choice_a: 'One',
      choice_b: 'Two',
      choice_c: 'Three',
      choice_d: 'Four',
      answer: 'C',
      data_type: 'video',
      question_type_id: 10,
      image: [hubImage(1), hubImage(2)],
    },
  },
  vizwiz: {
    file: 'data/val-00000-of-00005.parquet',
    columns: { question_id: text, image, question: text, answers: texts, category: text },
    row: {
      question_id: 'VizWiz_val_0.jpg',
      question: 'What Is this?',
      answers: answerTexts,
      category: 'other',
    },
  },
  ocrbench: {
    file: 'data/test-00000-of-00001.parquet',
    columns: { dataset: text, question: text, question_type: text, answer: texts, image },
    row: {
      dataset: 'IIIT5K',
      question: 'what is written in the image?',
      question_type: 'Regular Text Recognition',
      answer: ['Private'],
    },
  },
  mmstar: {
    file: 'mmstar.parquet',
    columns: { index: int64, question: text, image: bytes, answer: text, category: text, l2_category: text },
    row: {
      index: 7n,
      image: imageBytes(),
      question: 'Which?\nOptions: A: x, B: y',
      answer: 'A',
      category: 'math',
      l2_category: 'geometry',
    },
  },
  chartqa: {
    file: 'data/test-00000-of-00001.parquet',
    columns: { type: text, question: text, answer: text, image },
    row: { type: 'human_test', question: 'How many?', answer: '14' },
  },
  docvqa: {
    file: 'DocVQA/validation-00000-of-00006.parquet',
    columns: { questionId: text, question: text, question_types: texts, image, answers: texts },
    row: {
      questionId: '49153',
      question: 'Which year?',
      question_types: ['table/list'],
      answers: ['1999', '99'],
    },
  },
};
