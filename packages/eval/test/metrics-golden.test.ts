// Every metric against the golden data: what the reference harness itself computed for hand-made answers.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePythonList } from '../src/data/text-files.js';
import { capitalize, parseFloatStrict, roundToCents, strip, words } from '../src/metrics/harness.js';
import {
  anls,
  exactMatch,
  mcqExtract,
  meanRetention,
  mmbenchAnswer,
  mmbenchOption,
  mmbenchOptionText,
  mmbenchRuleAnswer,
  mmbenchScores,
  mmeAnswer,
  mmeScores,
  mmmuChoice,
  mmmuOpenMatch,
  mmmuOpenReadings,
  mmmuScores,
  mmmuSubject,
  mmstarMatch,
  mmstarScores,
  normalizeVqa,
  normalizeVqav2,
  ocrBenchMatch,
  type Profile,
  popeAnswer,
  popeMetrics,
  relaxedMatch,
  scienceQaMatch,
  seedBenchAnswer,
  seedBenchMatch,
  vqaAccuracy,
  vqaDigitArticle,
  vqaPunctuation,
  vqav2Accuracy,
} from '../src/metrics/index.js';
import { mean } from '../src/stats/statistics.js';

type Variants<T> = Readonly<Record<string, Partial<T>>>;
type Case<T> = { readonly prediction: string; readonly variants?: Variants<T> } & T;
type Scored<T> = Case<T & { readonly expected: number }>;
type Vqa = Scored<{ answers: string[]; normalizedPrediction: string }>;

interface Golden {
  vqa_normalizer: { input: string; full: string; punctuation: string; digitArticle: string; vqav2: string }[];
  textvqa: Vqa[];
  vizwiz: Vqa[];
  vqav2: Vqa[];
  pope: Scored<{ answer: string; parsed: string }>[];
  gqa: Scored<{ answer: string; quirk?: string }>[];
  mme: Scored<{ answer: string; parsed: string }>[];
  scienceqa_img: Scored<{ choices: string[]; answer: number }>[];
  seedbench: Scored<{ answer: string; dataType: string; parsed: string }>[];
  mmstar: Scored<{ answer: string }>[];
  mmbench: Case<{
    name: string;
    options: Record<string, string>;
    answer: string;
    inferOption: string | null;
    inferText: string | null;
    prefetch: string | null;
    staticHit: number;
    hitIfJudgeSaysB: number;
    hitIfJudgeSaysE: number;
  }>[];
  mmmu_multiple_choice: Case<{ options: string[]; parsed: string | null }>[];
  mmmu_open: Case<{
    answer: string | string[];
    parsedSet: ['n' | 's', number | string][];
    officialCorrect: boolean;
  }>[];
  ocrbench: Scored<{ dataset: string; questionType: string; answer: string[] }>[];
  chartqa: Scored<{ answer: string; type: string }>[];
  docvqa: Scored<{ answers: string[] }>[];
  mcq_extract: { response: string; choices: string[]; expected: string }[];
  python_float: { input: string; expected: number | string | null }[];
  python_capitalize: { input: string; expected: string }[];
  python_list_literal: { literal: string; expected: string[] }[];
  python_strip_split: { input: string; strip: string; split: string[] }[];
  // biome-ignore lint/suspicious/noExplicitAny: aggregates differ in form; the assertions check it.
  aggregates: Record<string, any>;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('data/metrics-golden.json', import.meta.url), 'utf8'),
) as Golden;

const PROFILES: readonly (readonly [Profile, string | undefined])[] = [
  ['lmms-eval-0.3.4', 'v0.3.4'],
  ['lmms-eval-0.4', 'v0.4'],
  ['latest', undefined],
];

/** The case as the given release has it; predictions are stripped before any scorer sees them. */
function under<T extends { readonly prediction: string; readonly variants?: Variants<T> }>(
  tag: string | undefined,
  entry: T,
): T {
  const variant = tag === undefined ? undefined : entry.variants?.[tag];
  return { ...entry, ...variant, prediction: strip(entry.prediction) };
}

const close = (actual: number, expected: number, what: string): void => {
  expect(Math.abs(actual - expected), `${what}: ${actual}, not ${expected}`).toBeLessThanOrEqual(1e-12);
};

describe('python text', () => {
  it.each(golden.python_float)('float($input)', ({ input, expected }) => {
    const special: Record<string, number> = {
      inf: Number.POSITIVE_INFINITY,
      '-inf': Number.NEGATIVE_INFINITY,
      nan: Number.NaN,
    };
    expect(parseFloatStrict(input)).toBe(typeof expected === 'string' ? special[expected] : expected);
  });
  it.each(golden.python_capitalize)('capitalize($input)', ({ input, expected }) => {
    expect(capitalize(input)).toBe(expected);
  });
  it.each(golden.python_strip_split)('strip and split $input', (entry) => {
    expect({ strip: strip(entry.input), split: words(entry.input) }).toEqual({
      strip: entry.strip,
      split: entry.split,
    });
  });
  it.each(golden.python_list_literal)('list $literal', ({ literal, expected }) => {
    // Character names would need the Unicode name table, and no dataset uses them.
    expect(parsePythonList(literal)).toEqual(literal.includes('\\N{') ? null : expected);
  });
  it('rounds like Python: exact values, ties to even', () => {
    expect([0.125, 0.375, 2.675, 1.005, -0.125, 7.0049, 1e300].map(roundToCents)).toEqual([
      0.12, 0.38, 2.67, 1.0, -0.12, 7.0, 1e300,
    ]);
  });
});

describe('VQA', () => {
  it.each(golden.vqa_normalizer)('normalises $input', (entry) => {
    const { input } = entry;
    expect({
      input,
      full: normalizeVqa(input),
      punctuation: vqaPunctuation(input),
      digitArticle: vqaDigitArticle(input),
      vqav2: normalizeVqav2(input),
    }).toEqual(entry);
  });
  it.each([...golden.textvqa, ...golden.vizwiz])('scores $name', (entry) => {
    const { value, normalized } = vqaAccuracy(strip(entry.prediction), entry.answers);
    close(value, entry.expected, 'accuracy');
    expect(normalized).toBe(entry.normalizedPrediction);
  });
  it.each(PROFILES)('scores VQAv2 as %s', (profile, tag) => {
    const values = golden.vqav2.map((given) => {
      const entry = under(tag, given);
      const { value, normalized } = vqav2Accuracy(entry.prediction, entry.answers, profile);
      close(value, entry.expected, JSON.stringify(entry));
      expect(normalized, JSON.stringify(entry)).toBe(entry.normalizedPrediction);
      return value;
    });
    const { expected, variants } = golden.aggregates.vqav2;
    close(mean(values), (variants[tag ?? ''] ?? expected).exact_match, 'mean');
  });
});

describe('yes and no', () => {
  it.each(golden.pope)('POPE: $prediction', ({ prediction, answer, parsed, expected }) => {
    expect(popeAnswer(prediction)).toBe(parsed);
    expect(Number(popeAnswer(prediction) === answer)).toBe(expected);
  });
  it.each(['pope', 'pope_all_no', 'pope_no_scorable'])('%s', (name) => {
    const { items, expected } = golden.aggregates[name];
    const given: [string, string][] = items ?? golden.pope.map((entry) => [entry.prediction, entry.answer]);
    const actual = popeMetrics(given.map(([text, answer]) => ({ predicted: popeAnswer(text), answer })));
    close(actual.accuracy, expected.accuracy, 'accuracy');
    close(actual.precision, expected.precision, 'precision');
    close(actual.recall, expected.recall, 'recall');
    close(actual.f1, expected.f1, 'f1');
    close(actual.yesRatio, expected.yesRatioOfGroundTruth, 'yes ratio');
  });
  it.each(golden.mme)('MME: $prediction', ({ prediction, answer, parsed, expected }) => {
    expect(mmeAnswer(prediction)).toBe(parsed);
    expect(Number(mmeAnswer(prediction) === answer.toLowerCase())).toBe(expected);
  });
  it('sums MME', () => {
    const { items, expected } = golden.aggregates.mme;
    const scores = mmeScores(
      items.map((item: Record<'question_id' | 'category' | 'answer' | 'prediction', string>) => ({
        group: item.question_id,
        category: item.category,
        correct: mmeAnswer(item.prediction) === item.answer.toLowerCase(),
      })),
    );
    expect(Object.keys(scores.categories).sort()).toEqual(Object.keys(expected.perCategory).sort());
    for (const [name, value] of Object.entries(scores.categories))
      close(value, expected.perCategory[name], name);
    close(scores.perception, expected.perception, 'perception');
    close(scores.cognition, expected.cognition, 'cognition');
    close(scores.total, expected.total, 'total');
  });
  it('omits incomplete pairs from MME', () => {
    const answer = { group: 'a', category: 'count', correct: true };
    expect(mmeScores([answer, answer, { ...answer, group: 'b' }]).total).toBe(200);
    expect(mmeScores([{ ...answer, group: 'b' }]).total).toBe(0);
  });
});

describe('exact and option matching', () => {
  it.each(golden.gqa.filter((entry) => entry.quirk === undefined))('GQA: $prediction', (entry) => {
    expect(Number(exactMatch(strip(entry.prediction), entry.answer))).toBe(entry.expected);
  });
  it.each(PROFILES)('ScienceQA as %s', (profile, tag) => {
    const values = golden.scienceqa_img.map((given) => {
      const entry = under(tag, given);
      const value = Number(scienceQaMatch(entry.prediction, 'ABCD'[entry.answer]!, profile));
      expect(value, JSON.stringify(entry)).toBe(entry.expected);
      return value;
    });
    const { expected, variants } = golden.aggregates.scienceqa_img;
    close(mean(values), (variants[tag ?? ''] ?? expected).exact_match, 'mean');
  });
  it.each(golden.seedbench)('SEED-Bench: $prediction', ({ prediction, answer, parsed, expected }) => {
    expect(seedBenchAnswer(prediction)).toBe(parsed);
    expect(Number(seedBenchMatch(prediction, answer))).toBe(expected);
  });
  it.each(golden.mcq_extract)('extracts from $response of $choices', ({ response, choices, expected }) => {
    expect(mcqExtract(response, choices) ?? '').toBe(expected);
  });
});

describe('MMStar', () => {
  it.each(PROFILES)('as %s', (profile, tag) => {
    for (const given of golden.mmstar) {
      const entry = under(tag, given);
      const value = Number(mmstarMatch(entry.prediction, entry.answer, profile));
      expect(value, JSON.stringify(entry)).toBe(entry.expected);
    }
    const { items, expected, variants } = golden.aggregates.mmstar;
    const scores = mmstarScores(
      items.map((item: Record<'prediction' | 'answer' | 'category' | 'l2_category', string>) => ({
        value: Number(mmstarMatch(strip(item.prediction), item.answer, profile)),
        category: item.category,
        l2Category: item.l2_category,
      })),
    );
    const wanted = variants[tag ?? ''] ?? expected;
    close(scores.average, wanted.average, 'average');
    for (const [name, value] of Object.entries(scores.category)) close(value, wanted[name], name);
    expect(Object.keys(scores.category)).toHaveLength(6);
  });
});

describe('MMBench', () => {
  it.each(golden.mmbench)('$name', (entry) => {
    const text = strip(entry.prediction);
    expect(mmbenchOption(text)).toBe(entry.inferOption);
    expect(mmbenchOptionText(text, entry.options)).toBe(entry.inferText);
    const rule = mmbenchRuleAnswer(text, entry.options);
    expect(rule).toBe(entry.prefetch);
    expect(Number(mmbenchAnswer(text, entry.options) === entry.answer)).toBe(entry.staticHit);
    expect(Number((rule ?? 'B') === entry.answer)).toBe(entry.hitIfJudgeSaysB);
    expect(Number((rule ?? 'E') === entry.answer)).toBe(entry.hitIfJudgeSaysE);
  });
  it.each([
    ['static', undefined],
    ['judgeSaysB', 'B'],
    ['judgeSaysE', 'E'],
  ])('scores rotations: %s', (name, judge) => {
    const { items, expected } = golden.aggregates.mmbench;
    const wanted = expected[name];
    const scores = mmbenchScores(
      items.map((item: Record<string, string> & { index: number }) => {
        const text = strip(item.prediction!);
        const letter = judge === undefined ? null : (mmbenchRuleAnswer(text, item) ?? judge);
        return {
          index: item.index,
          correct: (letter ?? mmbenchAnswer(text, item)) === item.answer,
          category: item.category,
          l2Category: item['L2-category'],
        };
      }),
    );
    close(scores.overall, wanted.overall, 'overall');
    expect(Object.keys(scores.category)).toEqual(Object.keys(wanted.category));
    for (const [key, value] of Object.entries(scores.category)) close(value, wanted.category[key], key);
    for (const [key, value] of Object.entries(scores.l2Category)) close(value, wanted.l2[key], key);
  });
});

describe('MMMU', () => {
  it.each(golden.mmmu_multiple_choice)('chooses: $prediction', ({ prediction, options, parsed }) => {
    expect(mmmuChoice(strip(prediction), options)).toBe(parsed);
  });
  it.each(golden.mmmu_open)('reads: $prediction', ({ prediction, answer, parsedSet, officialCorrect }) => {
    const readings = mmmuOpenReadings(strip(prediction));
    expect([...readings].sort()).toEqual(parsedSet.map(([, reading]) => reading).sort());
    expect(mmmuOpenMatch(strip(prediction), answer)).toBe(officialCorrect);
  });
  it('summarizes', () => {
    const { items, expected, subdomain } = golden.aggregates.mmmu;
    expect(items.map((item: { id: string }) => mmmuSubject(item.id))).toEqual(subdomain);
    const scores = mmmuScores(
      items.map((item: Record<'id' | 'options' | 'answer' | 'prediction', string>) => ({
        value: Number(mmmuChoice(item.prediction, parsePythonList(item.options)!) === item.answer),
        subject: mmmuSubject(item.id),
      })),
    );
    expect(scores.accuracy).toBe(expected.mmmu_acc);
    expect(scores.domains.Science).toBeCloseTo(2 / 3, 5);
  });
});

describe('text in documents and charts', () => {
  it.each(PROFILES)('OCRBench as %s', (profile, tag) => {
    let points = 0;
    for (const given of golden.ocrbench) {
      const entry = under(tag, given);
      const value = Number(ocrBenchMatch(entry.prediction, entry.answer, entry.dataset, profile));
      expect(value, JSON.stringify(entry)).toBe(entry.expected);
      points += value;
    }
    const { expected, variants } = golden.aggregates.ocrbench;
    expect(points).toBe((variants[tag ?? ''] ?? expected).points);
  });
  it.each(golden.chartqa)('ChartQA: $prediction against $answer', ({ prediction, answer, expected }) => {
    expect(Number(relaxedMatch(strip(prediction), answer))).toBe(expected);
  });
  it.each(golden.docvqa)('DocVQA: $prediction against $answers', ({ prediction, answers, expected }) => {
    close(anls(strip(prediction), answers), expected, 'anls');
  });
  it('gives empty text no similarity', () => {
    expect(anls('text', [])).toBe(0);
  });
});

describe('retention', () => {
  it.each(['mmtok_paper_retention', 'mmtok_paper_retention_qwen'])('%s', (name) => {
    const { baseline, rows } = golden.aggregates[name];
    for (const { scores, expectedExact } of rows)
      expect(meanRetention(scores, baseline)).toBeCloseTo(expectedExact, 9);
  });
});

describe('means over all cases of a task', () => {
  const value: Record<string, () => number[]> = {
    textvqa: () => golden.textvqa.map((e) => vqaAccuracy(strip(e.prediction), e.answers).value),
    vizwiz: () => golden.vizwiz.map((e) => vqaAccuracy(strip(e.prediction), e.answers).value),
    chartqa: () => golden.chartqa.map((e) => Number(relaxedMatch(strip(e.prediction), e.answer))),
    docvqa: () => golden.docvqa.map((e) => anls(strip(e.prediction), e.answers)),
    seedbench: () => golden.seedbench.map((e) => Number(seedBenchMatch(strip(e.prediction), e.answer))),
  };
  it.each(Object.keys(value))('%s', (task) => {
    const wanted: number[] = Object.values(golden.aggregates[task].expected);
    close(mean(value[task]!()), wanted[0]!, task);
  });
});
