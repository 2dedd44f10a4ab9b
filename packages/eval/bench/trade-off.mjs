// What a focus wins with the right question, and loses with the words of a question about another image: right answers above vision
// coverage alone, over settings of the focus. Run it on validation questions only (decision 9 says how to make them), since settings
// are chosen by it. 'other' is the question three before, 'absent' one that names things of which the image shows neither color nor
// shape, and 'noise' normal numbers.
//   node bench/trade-off.mjs --model base --limit 350 --out base.jsonl   asks, and adds a line per question
//        [--settings "auto,auto 8 then half"] [--positions compact]       some settings; kept tokens renumbered
//        [--shard 0/2]                                                    every second question
//   node bench/trade-off.mjs base.jsonl small.jsonl [--plot trade-off.svg]   prints a table of each file, and draws them
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { selectTokens, visionCoverage } from '@mmtok/core';
import { float32, referenceOps } from '@mmtok/core/backend';
import {
  BACKGROUND_FOCUS,
  createRandom,
  DETAIL_FOCUS,
  focusStrength,
  relevance,
  TYPICAL_FOCUS,
} from '@mmtok/core/internal';
import { createOrtBackend } from '@mmtok/ort-backend';
import { heldOut } from '@mmtok/tiny-vlm';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { meanDifference } from '../dist/index.js';
import { openBatched } from './batched-model.mjs';
import { GROUPS, linesOf, readGroups } from './named-things.mjs';
import { mean, percent } from './records.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'base' },
    limit: { type: 'string' },
    positions: { type: 'string', default: 'preserve' },
    settings: { type: 'string' },
    shard: { type: 'string', default: '0/1' },
    out: { type: 'string' },
    plot: { type: 'string' },
  },
});

const BUDGETS = { base: [57, 16, 8, 4], small: [16, 8, 4], tiled: [54, 27, 16, 8, 4] };

/** What `focus` reads from an image and a text: relevance from 0 to 1 over the image, and the strength that `'auto'` takes. */
function read({ vision, text }) {
  const [tokens, words] = [vision, text].map(({ dims, data }) => ({ dims, data: Float64Array.from(data) }));
  const norms = referenceOps.rowNorms(tokens);
  return {
    relevances: Array.from(relevance(referenceOps, tokens, words, norms).data),
    strength: focusStrength(referenceOps, tokens, words, norms).data[0],
  };
}

/** Weights that leave `1 - share` of the whole to all targets alike, and give the rest by relevance. */
function mixed(relevances, focus, share) {
  const powers = relevances.map((one) => Math.exp(focus * one));
  const average = mean(powers);
  return powers.map((power) => 1 - share + (share * power) / average);
}

/** Settings of the focus by name: options of `visionCoverage`, given what {@link read} reads. */
const SETTINGS = {
  ...Object.fromEntries([1, 2, 3, 4].map((focus) => [`focus ${focus}`, () => ({ focus })])),
  auto: () => ({ focus: 'auto' }),
  ...Object.fromEntries(
    [
      [4, [0.2, 0.3, 0.4, 0.5]],
      [6, [0.3, 0.5]],
      [8, [0.3, 0.5]],
    ].flatMap(([focus, shares]) =>
      shares.map((share) => [
        `mix ${focus}, ${share}`,
        ({ relevances }) => ({ targetWeights: mixed(relevances, focus, share) }),
      ]),
    ),
  ),
};
/** Shares of the budget that focus 4 picks before vision coverage alone picks the rest. */
const FIRST = { 'first 0.5': 0.5, 'first 0.75': 0.75 };

/**
 * The strength that `'auto'` measures, or the firmer one with 4 for details, in two steps: how many picks follow it, and the factor on
 * it for all later picks. The picks of smaller budgets come first, unlike those of {@link FIRST}.
 */
const STEPS = {
  firm: [firmer, Number.POSITIVE_INFINITY, 1],
  ...Object.fromEntries(
    [
      ['auto', (strength) => strength],
      ['firm', firmer],
    ].flatMap(([name, of]) =>
      [4, 8].flatMap((count) => [
        [`${name} ${count} then 0`, [of, count, 0]],
        [`${name} ${count} then half`, [of, count, 0.5]],
      ]),
    ),
  ),
};
/** Steps are measured only when they are named. */
const names = values.settings?.split(',') ?? [...Object.keys(SETTINGS), ...Object.keys(FIRST)];

/** The strength that `'auto'` would take with 4 for details, given the one that it takes. */
function firmer(strength) {
  if (strength <= TYPICAL_FOCUS) return strength;
  const share = (strength - TYPICAL_FOCUS) / (DETAIL_FOCUS - TYPICAL_FOCUS);
  return Math.min(BACKGROUND_FOCUS, TYPICAL_FOCUS + share * (BACKGROUND_FOCUS - TYPICAL_FOCUS));
}

/** The order of picks in two steps: the first `count` with the strength `of(measured)`, the rest with `factor` times that. */
async function inSteps(select, measured, [of, count, factor], largest) {
  const strength = of(measured);
  const { order: first } = await select({ focus: strength }, Math.min(count, largest));
  if (first.length === largest) return first;
  const { order } = await select({ focus: factor * strength }, largest, { include: first });
  return [...first, ...order.slice(first.length)];
}

/** Picks by setting, for one text: functions of the budget. */
async function picksOf(select, facts, largest) {
  const found = names.map(async (name) => {
    if (name in FIRST) {
      const { order } = await select({ focus: 4 }, largest);
      return async (tokens) => {
        const include = order.slice(0, Math.ceil(FIRST[name] * tokens));
        return (await select({}, tokens, { include })).order;
      };
    }
    if (name in STEPS) {
      const order = await inSteps(select, facts.strength, STEPS[name], largest);
      return async (tokens) => order.slice(0, tokens);
    }
    const { order } = await select(SETTINGS[name](facts), largest);
    return async (tokens) => order.slice(0, tokens);
  });
  return (await Promise.all(found)).map((picks, i) => [names[i], picks]);
}

/** The rows of each question's words. */
async function textsOf(model, questions) {
  const texts = [];
  for (const question of questions) texts.push((await model.prepare(question)).features.text);
  return texts;
}

/** Normal numbers of the shape of `text`. */
function noiseLike({ dims }, seed) {
  const draw = createRandom(seed + 1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  return float32(Float32Array.from({ length: dims[0] * dims[1] }, normal), dims);
}

async function ask() {
  const model = await openBatched(values.model, { positions: values.positions });
  const backend = await createOrtBackend({ sessionOptions: { intraOpNumThreads: 1 } });
  const budgets = BUDGETS[values.model];
  const limit = values.limit === undefined ? undefined : Number(values.limit);
  const questions = await heldOut({ size: values.model, limit });
  const known = new Set(existsSync(values.out) ? linesOf(values.out).map(({ question }) => question) : []);
  const groupOf = readGroups(values.model);
  const [shard, shards] = values.shard.split('/').map(Number);
  const texts = await textsOf(model, questions);
  for (const [at, question] of questions.entries()) {
    // Two questions in a row may be about the same image, this one and the third before it are not.
    if (at < 3 || at % shards !== shard || known.has(at)) continue;
    const { features, score } = await model.prepare(question);
    const { vision, visionFeatures } = features;
    const away = questions.map((_, i) => (((at - 7 * (i + 3)) % texts.length) + texts.length) % texts.length);
    const absent = away.find((other) => groupOf(other, at) === GROUPS[2]);
    const given = {
      own: texts[at],
      other: texts[at - 3],
      ...(absent !== undefined && { absent: texts[absent] }),
      noise: noiseLike(texts[at], at),
    };
    const strength = {};
    const named = [];
    for (const [name, text] of Object.entries(given)) {
      const select = (options, tokens, constraints) =>
        selectTokens({
          ...{ backend, vision, visionFeatures, text, budget: { tokens }, constraints },
          coverage: [visionCoverage(options)],
        });
      if (name === 'own') named.push(['plain', async (tokens) => (await select({}, tokens)).order]);
      const facts = read({ vision, text });
      strength[name] = facts.strength;
      const picks = await picksOf(select, facts, budgets[0]);
      named.push(...picks.map(([setting, pick]) => [`${name} ${setting}`, pick]));
    }
    const jobs = [];
    for (const [name, pick] of named) {
      for (const tokens of budgets)
        jobs.push({ name, indices: (await pick(tokens)).toSorted((a, b) => a - b) });
    }
    const right = await score(jobs.map(({ indices }) => indices));
    const scores = {};
    for (const [i, { name }] of jobs.entries()) scores[name] = [...(scores[name] ?? []), right[i]];
    appendFileSync(
      values.out,
      `${JSON.stringify({ question: at, other: at - 3, kind: question.kind, budgets, strength, scores })}\n`,
    );
  }
  await model.close();
  await backend.dispose();
}

/** For each text and setting, points above vision coverage alone: at each budget, and over all of them with an interval. */
function summarize(file) {
  const lines = linesOf(file);
  const rows = Object.keys(lines[0].scores)
    .filter((name) => name !== 'plain')
    .map((name) => {
      const own = lines.map(({ scores }) => scores).filter((scores) => name in scores);
      const [plain, focused] = ['plain', name].map((one) => own.map((scores) => scores[one]));
      const each = lines[0].budgets.map(
        (_, i) => 100 * mean(own.map((_, at) => focused[at][i] - plain[at][i])),
      );
      const over = meanDifference(plain.map(mean), focused.map(mean));
      const [, text, setting] = /^(\S+) (.*)$/.exec(name);
      return { text, setting, count: own.length, each, over };
    });
  return { model: basename(file, '.jsonl'), budgets: lines[0].budgets, rows };
}

function report() {
  const summaries = positionals.map(summarize);
  for (const { model, budgets, rows } of summaries) {
    console.log(`\n| ${model} | text | questions | ${budgets.join(' | ')} | all |`);
    console.log(`| --- | --- |${' ---: |'.repeat(budgets.length + 2)}`);
    for (const { text, setting, count, each, over } of rows) {
      const cells = [setting, text, count, ...each.map((one) => one.toFixed(1))];
      const interval = `${percent(over.value)} (${percent(over.low)} to ${percent(over.high)})`;
      console.log(`| ${[...cells, interval].join(' | ')} |`);
    }
  }
  if (values.plot === undefined) return;
  const dots = summaries.flatMap(({ model, rows }) =>
    rows.flatMap(({ text, setting, over }) => {
      const other = rows.find((row) => row.text === 'other' && row.setting === setting);
      if (text !== 'own') return [];
      const kind = setting.startsWith('mix')
        ? 'mix'
        : setting in FIRST || (setting in STEPS && setting !== 'firm')
          ? 'first picks'
          : 'strength';
      return [{ model, setting, kind, win: 100 * over.value, loss: 100 * other.over.value }];
    }),
  );
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const place = { x: 'win', y: 'loss', fx: 'model' };
  const chart = Plot.plot({
    document,
    width: 920,
    height: 420,
    marginRight: 70,
    marginLeft: 50,
    x: { label: 'points won with the question asked, mean over budgets', domain: [3, 20], grid: true },
    y: { label: 'points with the words of another', nice: true, grid: true },
    fx: { label: null },
    symbol: {
      domain: ['strength', 'mix', 'first picks'],
      range: ['circle', 'square', 'triangle'],
      legend: false,
    },
    style: { background: 'white', color: '#222', fontFamily: 'sans-serif' },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
      Plot.link(spread(dots.filter(({ kind }) => kind === 'mix')), {
        fx: 'model',
        x1: (dot) => dot.win - 0.3,
        y1: 'labelAt',
        x2: 'win',
        y2: 'loss',
        strokeOpacity: 0.4,
      }),
      Plot.dot(dots, { ...place, symbol: 'kind', fill: '#3366cc', r: 5 }),
      // Labels of mixes to the left of their dots and of first picks above them, where there are fewer others.
      ...[
        ['mix', { dx: -8, textAnchor: 'end', y: 'labelAt' }],
        ['first picks', { dy: -10 }],
        ['strength', { dx: 8, textAnchor: 'start' }],
      ].map(([kind, at]) =>
        Plot.text(spread(dots.filter((dot) => dot.kind === kind)), { ...place, text: 'setting', ...at }),
      ),
    ],
  });
  chart.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  writeFileSync(values.plot, chart.outerHTML);
}

/** Gives each dot a `labelAt`: its loss, or as far below as the labels of the same model leave room. */
function spread(dots) {
  const height = 0.48;
  const last = new Map();
  return dots
    .toSorted((a, b) => b.loss - a.loss)
    .map((dot) => {
      const labelAt = Math.min(dot.loss, (last.get(dot.model) ?? Number.POSITIVE_INFINITY) - height);
      last.set(dot.model, labelAt);
      return { ...dot, labelAt };
    });
}

if (values.out === undefined) report();
else await ask();
