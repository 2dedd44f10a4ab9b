// Files of other writers: `make_files.py` wrote one table with Arrow in many ways, and JSON lines as on Windows.

import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { parquetTable } from '../../src/data/index.js';
import { folderTask, getTask } from '../../src/tasks/index.js';
import { collect } from '../data-writers.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** An image's last byte is its row. */
const GIF_BYTES = 44;

/** The task POPE on one of the files, as the only file of a dataset. */
async function samplesOf(file: string) {
  const from = temporary();
  await cp(here(file), join(from, 'test-00000-of-00001.parquet'));
  return await collect(getTask('pope').load({ from }));
}

const written = (await readdir(here('.'))).filter((name) => name.endsWith('.parquet'));
const whole = written.filter((name) => name !== 'null-images.parquet');

describe.each(whole)('%s', (file) => {
  it('is read like all others', async () => {
    const samples = await samplesOf(file);
    expect(samples.map(({ id, question, kind, target }) => ({ id, question, kind, target }))).toEqual(
      Array.from({ length: 7 }, (_, row) => {
        const kind = row < 4 ? 'adversarial' : 'popular';
        const question = `Is there a dog? é 漢 ${row}`;
        return { id: `${kind}/${row}`, question, kind, target: row % 3 ? 'yes' : 'no' };
      }),
    );
    const images = await Promise.all(samples.map(({ images }) => images[0]!.read()));
    expect(images.map((bytes) => bytes.length)).toEqual(new Array(7).fill(GIF_BYTES));
    expect(images.map((bytes) => bytes.at(-1))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(Buffer.from(images[0]!).toString('latin1', 0, 6)).toBe('GIF89a');
  });

  it('returns single rows and columns', async () => {
    const table = await parquetTable([here(file)]);
    expect(table.count).toBe(7);
    const rows = [];
    for await (const { index, values } of table.rows({ columns: ['question_id'], indices: [1, 5] })) {
      rows.push([index, values]);
    }
    expect(rows).toEqual([
      [1, { question_id: '1' }],
      [5, { question_id: '5' }],
    ]);
  });
});

it('a row without an image is reported', async () => {
  await expect(samplesOf('null-images.parquet')).rejects.toThrow(
    /row 3: .*image.*expected an image \(bytes, base64 or \{ bytes \}\)/,
  );
});

it('JSON lines from Windows with a byte-order mark are a folder task', async () => {
  const from = temporary();
  await cp(here('windows.jsonl'), join(from, 'questions.jsonl'));
  await writeFile(join(from, 'a.png'), new Uint8Array([1]));
  const samples = await collect(folderTask(from).load());
  expect(samples.map(({ question, target }) => [question, target])).toMatchObject(
    [0, 1, 2].map((row) => [`Was ist Nr. ${row}? é 漢`, [String(row)]]),
  );
});
