// Every function that reads text takes time proportional to its length: models may repeat themselves endlessly, and files may contain
// anything. Each function gets every shape that makes regular expressions backtrack, then a megabyte of its slowest shape.

import { describe, expect, it } from 'vitest';
import { imageBase64 } from '../src/data/folder.js';
import { parsePythonList, parseTsv } from '../src/data/text-files.js';
import { capitalize, parseFloatStrict, strip, stripCharacter, words } from '../src/metrics/harness.js';
import * as metrics from '../src/metrics/index.js';
import { mostCommon } from '../src/tasks/define-task.js';
import { cpuTimeOf } from './cpu-time.js';

const MEGABYTE = 1_000_000;
/** Long enough to find the slowest shape; quadratic functions would take minutes. */
const SAMPLE = 20_000;
/** In CPU time, about ten times what is needed. Time may grow five times as fast as length; quadratic time would grow 2,500-fold. */
const MAY_TAKE_MS = 10_000;
const MAY_GROW = (5 * MEGABYTE) / SAMPLE;

type Repeat = (piece: string) => string;

const shapesOf = (repeat: Repeat): Readonly<Record<string, string>> => ({
  'spaces inside': `a${repeat(' ')}b`,
  'spaces and a mark': `${repeat(' ')}!`,
  'line breaks': `x${repeat('\n')}y`,
  'spaces, then a line break': `${repeat(' ')}\nx`,
  digits: `${repeat('1')}x`,
  'digits with commas': `${repeat('1,')}x`,
  'groups of three digits': `${repeat('111,')}x`,
  'digits with underscores': `${repeat('1_')}x`,
  'digits with points': repeat('1.'),
  'digits with exponents': repeat('1e'),
  'minus signs': `${repeat('-')}1`,
  commas: `1${repeat(',')}x`,
  percents: `1${repeat('%')}x%`,
  quotes: `['${repeat('\\\\')}`,
  'doubled quotes': `"${repeat('""')}`,
  'strings side by side': `[${repeat("'a' ")}`,
  brackets: repeat('('),
  'letters in brackets': repeat('(A)'),
  letters: repeat('A '),
  'one letter': repeat('a'),
  indicators: repeat('answer is so '),
  'many lines': repeat('so x\n'),
  'angle brackets': repeat('<a'),
  'a data URL without an end': `data:image/${repeat('a')}!`,
  emoji: repeat('🙂'),
});

const ofLength = (length: number): Readonly<Record<string, string>> =>
  shapesOf((piece) => piece.repeat(Math.ceil(length / piece.length)));
const samples = Object.entries(ofLength(SAMPLE));
const megabytes = ofLength(MEGABYTE);

const options = { A: 'cat', B: 'dog', C: 'nan', D: 'nan' };
const profiles: readonly metrics.Profile[] = metrics.PROFILES;

/** How each function is called with a text. */
const METRICS: Readonly<Record<string, (text: string) => unknown>> = {
  anls: (text) => [
    metrics.anls(text, ['cat']),
    metrics.anls('cat', [text]),
    metrics.anls(text, [text, `x${text}y`, [...text].toReversed().join('')]),
  ],
  containsAnswer: (text) => [metrics.containsAnswer(text, 'cat'), metrics.containsAnswer(text, 'a')],
  exactMatch: (text) => metrics.exactMatch(text, 'cat'),
  mcqExtract: (text) => metrics.mcqExtract(text, ['A', 'B', 'C', 'D']),
  mmbenchAnswer: (text) => metrics.mmbenchAnswer(text, options),
  mmbenchOption: (text) => metrics.mmbenchOption(text),
  mmbenchOptionText: (text) => metrics.mmbenchOptionText(text, options),
  mmbenchRuleAnswer: (text) => metrics.mmbenchRuleAnswer(text, options),
  mmeAnswer: (text) => metrics.mmeAnswer(text),
  mmmuChoice: (text) => metrics.mmmuChoice(text, ['cat', 'dog']),
  mmmuOpenMatch: (text) => metrics.mmmuOpenMatch(text, ['cat', '3']),
  mmmuOpenReadings: (text) => metrics.mmmuOpenReadings(text),
  mmmuSubject: (text) => metrics.mmmuSubject(text),
  mmstarMatch: (text) => profiles.map((profile) => metrics.mmstarMatch(text, 'A', profile)),
  normalizeVqa: (text) => metrics.normalizeVqa(text),
  normalizeVqav2: (text) => metrics.normalizeVqav2(text),
  ocrBenchMatch: (text) =>
    profiles.flatMap((profile) =>
      ['HME100k', 'other'].map((dataset) => metrics.ocrBenchMatch(text, ['cat'], dataset, profile)),
    ),
  popeAnswer: (text) => metrics.popeAnswer(text),
  relaxedMatch: (text) => [metrics.relaxedMatch(text, '1%'), metrics.relaxedMatch('1', text)],
  sameAnswer: (text) => [metrics.sameAnswer(text, 'cat'), metrics.sameAnswer(text, '5')],
  sameNumber: (text) => metrics.sameNumber(text, '5'),
  scienceQaMatch: (text) => profiles.map((profile) => metrics.scienceQaMatch(text, 'A', profile)),
  seedBenchAnswer: (text) => metrics.seedBenchAnswer(text),
  seedBenchMatch: (text) => metrics.seedBenchMatch(text, 'A'),
  vqaAccuracy: (text) => metrics.vqaAccuracy(text, ['cat', 'dog']),
  vqaDigitArticle: (text) => metrics.vqaDigitArticle(text),
  vqaPunctuation: (text) => metrics.vqaPunctuation(text),
  vqav2Accuracy: (text) => profiles.map((profile) => metrics.vqav2Accuracy(text, ['cat', 'dog'], profile)),
};

/** Functions of the same entry point that read no text. */
const NOT_OF_TEXT = new Set([
  'meanRetention',
  'mmbenchQuestion',
  'mmbenchScores',
  'mmeScores',
  'mmmuScores',
  'mmstarScores',
  'popeMetrics',
  'softAccuracy',
]);

const OTHERS: Readonly<Record<string, (text: string) => unknown>> = {
  strip,
  words,
  stripCharacter: (text) => stripCharacter(text, ' '),
  capitalize,
  parseFloatStrict,
  parsePythonList,
  imageBase64,
  mostCommon: (text) => mostCommon(words(text)),
  parseTsv: (text) => {
    try {
      return parseTsv(text, 'a.tsv');
    } catch (error) {
      return error;
    }
  },
};

describe('a megabyte of any shape', () => {
  it('covers every metric that reads text', () => {
    const all = Object.entries(metrics).filter(([, value]) => typeof value === 'function');
    const names = all.map(([name]) => name).filter((name) => !NOT_OF_TEXT.has(name));
    expect(names.toSorted()).toEqual(Object.keys(METRICS).toSorted());
  });

  it.each(Object.entries({ ...METRICS, ...OTHERS }))(
    'takes %s time proportional to the length',
    (_name, read) => {
      const timed = (shape: string, text: string, limit: number): number => {
        const ms = cpuTimeOf(() => read(text));
        expect(ms, shape).toBeLessThan(limit);
        return ms;
      };
      const times = samples.map(([shape, text]) => [shape, timed(shape, text, MAY_TAKE_MS)] as const);
      const [worst, ms] = times.reduce((one, other) => (other[1] > one[1] ? other : one));
      timed(worst, megabytes[worst]!, Math.max(MAY_TAKE_MS, MAY_GROW * ms));
    },
  );
});
