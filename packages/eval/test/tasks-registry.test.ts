// The list of tasks, a handwritten task, and the options of load.

import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { memoryTable } from '../src/data/index.js';
import { defineTask, getTask, type LoadOptions, type Task, taskNames } from '../src/tasks/index.js';
import { collect, writeFolder } from './data-writers.js';

describe('the list of tasks', () => {
  it('has all benchmarks', () => {
    expect([...taskNames].sort()).toEqual(
      [
        ...['pope', 'gqa', 'mmbench', 'mme', 'scienceqa-img', 'vqav2', 'textvqa', 'textvqa-ocr', 'mmmu'],
        ...['seedbench', 'vizwiz', 'ocrbench', 'mmstar', 'chartqa', 'docvqa'],
      ].sort(),
    );
  });
  it.each(taskNames)('%s states its source and its maximum score', (name) => {
    const task = getTask(name);
    expect(task.name).toBe(name);
    expect(task.source.url).toMatch(/^https:/);
    expect(task.source.dataset).toMatch(/^[\w-]+\/[\w-]+$/);
    expect(task.maxNewTokens).toBeGreaterThan(0);
    expect(task.maxScore).toBe({ mme: 2800, mmbench: 100 }[name] ?? 1);
  });
  it('lists the known names for an unknown one', () => {
    expect(() => getTask('popes')).toThrow(
      /There is no task 'popes'\. Known: .*pope, .*docvqa\. .*folderTask/,
    );
    expect(() => getTask('popes')).toThrow(
      expect.objectContaining({ code: 'MMTOK_UNKNOWN_TASK', known: taskNames }),
    );
  });
  it('checks the profile', () => {
    expect(() => getTask('pope', { profile: 'newest' as 'latest' })).toThrow(/options of getTask: profile: /);
  });
});

const numbers: Task<number> = defineTask({
  name: 'numbers',
  title: 'Numbers',
  source: { url: 'https://example.org', files: 'anything' },
  maxNewTokens: 4,
  row: z.object({ n: z.number() }),
  group: { column: 'n', key: (n) => String(Math.floor(Number(n) / 2)) },
  original: async () =>
    memoryTable(Array.from({ length: 20 }, (_, n) => ({ where: `row ${n}`, values: { n } }))),
  sample: ({ n }) => ({ id: String(n), images: [], question: `${n}?`, target: n }),
  prompt: ({ question }) => question,
  score: (answer, { target }) => ({ value: Number(answer === String(target)) }),
});

const from = writeFolder({ anything: '' });
const ids = async (options: LoadOptions): Promise<number[]> =>
  (await collect(numbers.load({ from, ...options }))).map(({ id }) => Number(id));

describe('load', () => {
  it('loads everything in order', async () => {
    expect(await ids({})).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(await ids({ seed: 3 })).toEqual(await ids({}));
  });
  it('loads the first rows, in whole groups', async () => {
    expect(await ids({ limit: 4 })).toEqual([0, 1, 2, 3]);
    expect(await ids({ limit: 3 })).toEqual([0, 1, 2, 3]);
    expect(await ids({ limit: 100 })).toHaveLength(20);
  });
  it('loads a random sample for a seed, always the same, in order', async () => {
    const [one, again, two] = [
      await ids({ limit: 6, seed: 1 }),
      await ids({ limit: 6, seed: 1 }),
      await ids({ limit: 6, seed: 2 }),
    ];
    expect(one).toEqual(again);
    expect(one).not.toEqual(two);
    expect(one).toEqual([...one].sort((a, b) => a - b));
    expect(one.filter((n) => n % 2 === 0).map((n) => n + 1)).toEqual(one.filter((n) => n % 2 === 1));
  });
  it.each([{}, { limit: 10 }, { limit: 10, seed: 5 }])(
    'is split into shards without loss: %j',
    async (options) => {
      const parts = await Promise.all(
        [0, 1, 2].map((index) => ids({ ...options, shard: { index, count: 3 } })),
      );
      expect(parts.flat().sort((a, b) => a - b)).toEqual(await ids(options));
      for (const part of parts) expect(part.filter((n) => n % 2 === 0)).toHaveLength(part.length / 2);
    },
  );
  it.each<[LoadOptions, RegExp]>([
    [{ limit: 0 }, /load options of task 'numbers': limit: /],
    [{ seed: 0.5 }, /seed: /],
    [{ shard: { index: 3, count: 3 } }, /shard: index must be below count/],
    [{ from: '' }, /from: /],
    [{ form: 'here' } as LoadOptions, /form/],
  ])('checks its options: %j', async (options, message) => {
    await expect(ids(options)).rejects.toThrow(message);
  });
  it('requires a folder if there is no dataset on the Hub', async () => {
    await expect(collect(numbers.load())).rejects.toThrow(
      /Task 'numbers' cannot read nothing: give the folder with anything/,
    );
  });
  it('strips an answer before it is scored', () => {
    expect(numbers.score(' 7\n', { id: '7', images: [], question: '7?', target: 7 }).value).toBe(1);
  });
});
