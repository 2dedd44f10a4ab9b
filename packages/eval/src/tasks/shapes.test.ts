import { describe, expect, it } from 'vitest';
import { type ShapesQuestion, shapesTask, signsTask } from './shapes.js';

const questions: ShapesQuestion[] = Array.from({ length: 12 }, (_, at) => ({
  image: `/scenes/${Math.floor(at / 3)}.png`,
  question: `Question ${at}?`,
  answer: 'red',
  kind: at % 2 === 0 ? 'color' : 'shape',
}));
const task = shapesTask(questions);

async function idsOf(options?: Parameters<typeof task.load>[0]): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of task.load(options)) ids.push(id);
  return ids;
}

describe('the embedded benchmarks', () => {
  it('differ in name and source', () => {
    const signs = signsTask(questions);
    expect([task.name, signs.name]).toEqual(['shapes', 'signs']);
    expect(signs.source.url).not.toBe(task.source.url);
  });

  it('yields every question once, with a unique id', async () => {
    const ids = await idsOf();
    expect(new Set(ids).size).toBe(12);
    expect(ids[4]).toBe('1.png#4');
  });

  it('limits: the first, or the same random ones for a seed', async () => {
    expect(await idsOf({ limit: 3 })).toEqual(['0.png#0', '0.png#1', '0.png#2']);
    expect(await idsOf({ limit: 5, seed: 7 })).toEqual(await idsOf({ limit: 5, seed: 7 }));
    expect(await idsOf({ limit: 5, seed: 7 })).not.toEqual(await idsOf({ limit: 5, seed: 8 }));
  });

  it('is split into shards', async () => {
    const shards = await Promise.all([0, 1, 2].map((index) => idsOf({ shard: { index, count: 3 } })));
    expect(shards.flat().toSorted()).toEqual((await idsOf()).toSorted());
  });

  it('scores words and phrases and counts them per kind', async () => {
    for await (const sample of task.load({ limit: 1 })) {
      expect(task.prompt(sample)).toBe('Question 0?');
      expect(task.score(' Red ', sample)).toEqual({ value: 1, parsed: 'red' });
      expect(task.score('blue', sample).value).toBe(0);
    }
    const phrase = {
      image: '/0.png',
      question: 'What?',
      answer: 'mixed objects on gray',
      kind: 'description',
    };
    for await (const sample of shapesTask([phrase]).load()) {
      expect(task.score(' Mixed objects on gray', sample).value).toBe(1);
      expect(task.score('mixed objects', sample).value).toBe(0);
    }
    const summary = task.aggregate([
      { id: 'a', kind: 'color', score: { value: 1 } },
      { id: 'b', kind: 'color', score: { value: 0 } },
      { id: 'c', kind: 'shape', score: { value: 1 } },
    ]);
    expect(summary).toMatchObject({
      count: 3,
      metric: 'accuracy',
      metrics: { 'accuracy/color': 0.5, 'accuracy/shape': 1 },
    });
    expect(summary.value).toBeCloseTo(2 / 3);
  });
});
