// Scores and summaries through the Task interface: the golden aggregates, from a model's texts to the primary metric.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePythonList } from '../src/data/index.js';
import type { Profile } from '../src/metrics/index.js';
import { getTask, type Sample, type ScoredAnswer, type Summary } from '../src/tasks/index.js';

type Item = Readonly<Record<string, string>> & { readonly prediction: string };

const golden = JSON.parse(readFileSync(new URL('data/metrics-golden.json', import.meta.url), 'utf8'));

/** Scores every item as the sample it represents. Scores pass through JSON, as in a record. */
function run(
  name: string,
  items: readonly Item[],
  sampleOf: (item: Item, index: number) => Omit<Sample, 'id' | 'images' | 'question'>,
  profile: Profile = 'latest',
): Summary {
  const task = getTask(name, { profile });
  const answers: ScoredAnswer[] = items.map((item, index) => {
    const sample: Sample = { id: String(index), images: [], question: '', ...sampleOf(item, index) };
    const { id, kind, group } = sample;
    return JSON.parse(JSON.stringify({ id, kind, group, score: task.score(item.prediction, sample) }));
  });
  const summary = task.aggregate(answers);
  expect(summary.count).toBe(items.length);
  expect(summary.metrics[summary.metric]).toBe(summary.value);
  return summary;
}

describe('summaries equal the golden aggregates', () => {
  it('POPE', () => {
    const { accuracy, precision, recall, f1, yesRatioOfGroundTruth } = golden.aggregates.pope.expected;
    const summary = run('pope', golden.pope, ({ answer }) => ({ kind: 'random', target: answer }));
    expect(summary.metric).toBe('f1');
    expect(summary.metrics).toEqual({
      f1,
      accuracy,
      precision,
      recall,
      yesRatio: yesRatioOfGroundTruth,
      'f1/random': f1,
    });
  });
  it('MME', () => {
    const { items, expected } = golden.aggregates.mme;
    const summary = run('mme', items, (item) => ({
      kind: item.category!,
      group: item.question_id!,
      target: item.answer!.toLowerCase(),
    }));
    expect(summary.value).toBeCloseTo(expected.total, 9);
    expect(summary.metrics).toMatchObject({ perception: expected.perception, 'category/count': 37.5 });
  });
  it('MMBench', () => {
    const { items, expected } = golden.aggregates.mmbench;
    const summary = run('mmbench', items, (item) => ({
      kind: item.category!,
      target: {
        answer: item.answer,
        options: item,
        hint: 'nan',
        index: Number(item.index),
        l2Category: item['L2-category'],
      },
    }));
    expect(summary.value).toBe(expected.static.overall);
    expect(summary.metrics).toMatchObject({
      'category/c1': expected.static.category.c1,
      'l2/l2': expected.static.l2.l2,
    });
  });
  it.each<[Profile, string]>([
    ['lmms-eval-0.3.4', 'v0.3.4'],
    ['lmms-eval-0.4', 'v0.4'],
    ['latest', ''],
  ])('those that depend on the release, as %s', (profile, tag) => {
    const wanted = (key: string): Record<string, number> =>
      golden.aggregates[key].variants?.[tag] ?? golden.aggregates[key].expected;
    const science = run(
      'scienceqa-img',
      golden.scienceqa_img,
      (item) => ({ target: { letter: 'ABCD'[Number(item.answer)], hint: '' } }),
      profile,
    );
    expect(science.value).toBeCloseTo(wanted('scienceqa_img').exact_match!, 12);
    const star = run(
      'mmstar',
      golden.aggregates.mmstar.items,
      (item) => ({ kind: item.category!, target: { letter: item.answer, l2Category: item.l2_category } }),
      profile,
    );
    expect(star.value).toBeCloseTo(wanted('mmstar').average!, 12);
    const ocr = run(
      'ocrbench',
      golden.ocrbench,
      (item) => ({ kind: item.questionType!, target: { answers: item.answer, dataset: item.dataset } }),
      profile,
    );
    expect(ocr.metrics.points).toBe(wanted('ocrbench').points);
    const vqa = golden.vqav2.map((item: Item & { variants?: Record<string, object> }) => ({
      ...item,
      ...item.variants?.[tag],
    }));
    const soft = run('vqav2', vqa, ({ answers }) => ({ target: answers }), profile);
    expect(soft.value).toBeCloseTo(wanted('vqav2').exact_match!, 12);
  });
  it('MMMU', () => {
    const { items, expected } = golden.aggregates.mmmu;
    const task = (item: Item): Omit<Sample, 'id' | 'images' | 'question'> => ({
      options: parsePythonList(item.options!)!,
      kind: item.id!.split('_').slice(1, -1).join('_'),
      target: { answer: item.answer, isOpen: false },
    });
    expect(run('mmmu', items, task).value).toBe(expected.mmmu_acc);
    const open = run('mmmu', golden.mmmu_open.slice(0, 9), (item) => ({
      kind: 'Math',
      target: { answer: item.answer, isOpen: true },
    }));
    expect(open.value).toBeCloseTo(8 / 9, 5);
  });
  it('SEED-Bench', () => {
    const { seed_all, seed_image, seed_video } = golden.aggregates.seedbench.expected;
    const { metrics } = run('seedbench', golden.seedbench, (item) => ({
      kind: 'Scene Understanding',
      target: { letter: item.answer, dataType: item.dataType },
    }));
    expect(metrics).toMatchObject({
      accuracy: seed_all,
      image: seed_image,
      'accuracy/Scene Understanding': seed_all,
    });
    expect(metrics.video).toBeCloseTo(seed_video, 12);
  });
  it('ChartQA', () => {
    const { relaxed_overall, relaxed_human_split } = golden.aggregates.chartqa.expected;
    const { metrics } = run('chartqa', golden.chartqa, ({ answer, type }) => ({
      kind: type!.replace('_test', ''),
      target: answer,
    }));
    expect(metrics.relaxed).toBeCloseTo(relaxed_overall, 12);
    expect(metrics['relaxed/human']).toBeCloseTo(relaxed_human_split, 12);
  });
  it.each([
    ['docvqa', 'docvqa', 'anls'],
    ['textvqa', 'textvqa', 'exact_match'],
    ['textvqa-ocr', 'textvqa', 'exact_match'],
    ['vizwiz', 'vizwiz', 'exact_match'],
  ])('%s', (name, key, metric) => {
    const isText = key === 'textvqa';
    const summary = run(name, golden[key], ({ answers }) => ({
      target: isText ? { answers, ocrTokens: [] } : answers,
    }));
    expect(summary.value).toBeCloseTo(golden.aggregates[key].expected[metric], 12);
  });
  it('GQA', () => {
    const items = golden.gqa.filter((item: Item) => item.quirk === undefined);
    const right = items.filter((item: { expected: number }) => item.expected === 1).length;
    expect(run('gqa', items, ({ answer }) => ({ target: answer })).value).toBeCloseTo(
      right / items.length,
      12,
    );
  });
});

describe('no answers', () => {
  it('give a summary of zero', () => {
    for (const name of ['pope', 'mme', 'mmbench', 'mmstar', 'mmmu', 'seedbench', 'ocrbench', 'gqa'])
      expect(getTask(name).aggregate([])).toMatchObject({ count: 0, value: 0 });
  });
});
