// GQA: compositional questions about scenes. Questions and pictures are two tables on the Hub.
// Sources: https://arxiv.org/abs/1902.09506, https://cs.stanford.edu/people/dorarad/gqa/, lmms-eval `gqa`.

import * as z from 'zod';
import { idCell, textCell } from '../data/cells.js';
import { CorruptFileError } from '../data/errors.js';
import { imageCell } from '../data/image-source.js';
import { parquetTable } from '../data/parquet-table.js';
import { parseRow } from '../data/parse-row.js';
import { memoryTable, type Table } from '../data/table.js';
import { readJsonRows } from '../data/text-files.js';
import { exactMatch } from '../metrics/exact-match.js';
import { defineTask } from './define-task.js';
import { SINGLE_WORD } from './prompts.js';
import { summarizeMean } from './summary.js';
import type { ImageSource, Task } from './task.js';

const SPLIT = 'testdev';
const pictureRow = z.object({ id: idCell, image: imageCell });

// 398 pictures serve 12,578 questions: they are kept in memory, encoded as they are.
function withPictures(questions: Table, pictures: Table): Table {
  return {
    count: questions.count,
    async *rows(options) {
      const images = new Map<string, ImageSource>();
      for await (const row of pictures.rows({ columns: ['id', 'image'] })) {
        const { id, image } = parseRow(pictureRow, row);
        images.set(id, image);
      }
      for await (const row of questions.rows(options)) {
        const image = images.get(String(row.values.imageId));
        if (options?.columns?.includes('image') && image === undefined)
          throw new CorruptFileError(row.where, `no picture has the id '${String(row.values.imageId)}'`);
        yield { ...row, values: { ...row.values, image } };
      }
    },
  };
}

/** The target is the gold answer. */
export const gqa: Task<string> = defineTask({
  name: 'gqa',
  title: 'GQA',
  source: {
    dataset: 'lmms-lab/GQA',
    config: 'testdev_balanced_instructions',
    split: SPLIT,
    url: 'https://huggingface.co/datasets/lmms-lab/GQA',
    files: 'testdev_balanced_questions.json and images/',
  },
  maxNewTokens: 16,
  paper: { column: 'GQA', factor: 100 },
  row: z.object({
    id: idCell,
    imageId: idCell,
    question: textCell,
    answer: textCell,
    types: z.object({ structural: z.string().nullish() }).nullish(),
    image: imageCell,
  }),
  async parquet(locate) {
    const questions = await locate('testdev_balanced_instructions', SPLIT);
    const pictures = await locate('testdev_balanced_images', SPLIT);
    return withPictures(await parquetTable(questions), await parquetTable(pictures));
  },
  async original(folder) {
    const file = folder.find(/testdev_balanced_questions\.json$/)[0];
    if (file === undefined) return null;
    return memoryTable(
      (await readJsonRows(file)).map(({ where, values }) => ({
        where,
        values: { ...values, image: folder.image(`${String(values.imageId)}.jpg`, where) },
      })),
    );
  },
  sample: ({ id, question, answer, types, image }) => ({
    id,
    images: [image],
    question,
    ...(types?.structural && { kind: types.structural }),
    target: answer,
  }),
  prompt: ({ question }) => question + SINGLE_WORD,
  truth: ({ target }) => target,
  score: (text, { target }) => ({ value: Number(exactMatch(text, target)), parsed: text }),
  aggregate: (answers) => summarizeMean('exactMatch', answers),
});
