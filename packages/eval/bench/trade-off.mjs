// What a focus wins with the right question, and loses with the words of a question about another image: right answers above vision
// coverage alone, over settings of the focus. Run it on validation questions only (decision 9 says how to make them), since settings
// are chosen by it. 'auto 3' and 'auto 4' are `focus: 'auto'` with a full strength of 3 and 4.
//   node bench/trade-off.mjs --model base --limit 350 --out base.jsonl       asks, and adds a line per question
//        [--settings "focus 3,focus 4,auto 3,auto 4"] [--positions compact]   some settings; kept tokens renumbered
//   node bench/trade-off.mjs base.jsonl small.jsonl [--plot trade-off.svg]   prints a table of each file, and draws them
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { selectTokens, visionCoverage } from '@mmtok/core';
import { referenceOps } from '@mmtok/core/backend';
import { relevance, textEvidence } from '@mmtok/core/internal';
import { createOrtBackend } from '@mmtok/ort-backend';
import { heldOut } from '@mmtok/tiny-vlm';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { openBatched } from './batched-model.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'base' },
    limit: { type: 'string' },
    positions: { type: 'string', default: 'preserve' },
    settings: { type: 'string' },
    out: { type: 'string' },
    plot: { type: 'string' },
  },
});

const BUDGETS = { base: [57, 16, 8, 4], small: [16, 8, 4], tiled: [54, 27, 16, 8, 4] };
const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** What `focus` reads from an image and a text: relevance from 0 to 1 over the image, and evidence that the text says anything. */
function read({ vision, text }) {
  const [tokens, words] = [vision, text].map(({ dims, data }) => ({ dims, data: Float64Array.from(data) }));
  const norms = referenceOps.rowNorms(tokens);
  return {
    relevances: Array.from(relevance(referenceOps, tokens, words, norms).data),
    evidence: textEvidence(referenceOps, tokens, words, norms).data[0],
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
  ...Object.fromEntries([2, 3, 4].map((focus) => [`focus ${focus}`, () => ({ focus })])),
  ...Object.fromEntries(
    [3, 4].map((full) => [
      `auto ${full}`,
      ({ evidence }) => ({ focus: full * Math.min(1, Math.max(0, (evidence - 0.9) / 0.1)) }),
    ]),
  ),
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
const names = values.settings?.split(',') ?? [...Object.keys(SETTINGS), ...Object.keys(FIRST)];

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
    const { order } = await select(SETTINGS[name](facts), largest);
    return async (tokens) => order.slice(0, tokens);
  });
  return (await Promise.all(found)).map((picks, i) => [names[i], picks]);
}

async function ask() {
  const model = await openBatched(values.model, { positions: values.positions });
  const backend = await createOrtBackend({ sessionOptions: { intraOpNumThreads: 1 } });
  const budgets = BUDGETS[values.model];
  const limit = values.limit === undefined ? undefined : Number(values.limit);
  const questions = await heldOut({ size: values.model, limit });
  const known = new Set(existsSync(values.out) ? linesOf(values.out).map(({ question }) => question) : []);
  const texts = [];
  for (const [at, { kind, ...question }] of questions.entries()) {
    const { features, score } = await model.prepare(question);
    const { vision, visionFeatures } = features;
    texts.push(features.text);
    // Two questions in a row may be about the same image, this one and the third before it are not.
    const other = texts[at - 3];
    if (other === undefined || known.has(at)) continue;
    const evidence = {};
    const named = [];
    for (const [name, text] of Object.entries({ own: features.text, other })) {
      const select = (options, tokens, constraints) =>
        selectTokens({
          ...{ backend, vision, visionFeatures, text, budget: { tokens }, constraints },
          coverage: [visionCoverage(options)],
        });
      if (name === 'own') named.push(['plain', async (tokens) => (await select({}, tokens)).order]);
      const facts = read({ vision, text });
      evidence[name] = facts.evidence;
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
      `${JSON.stringify({ question: at, other: at - 3, kind, budgets, evidence, scores })}\n`,
    );
  }
  await model.close();
  await backend.dispose();
}

/** The records of a file. */
function linesOf(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

/** For each setting, points above vision coverage alone at each budget, with the own and with another question's words. */
function summarize(file) {
  const lines = linesOf(file);
  const [{ budgets, scores }] = lines;
  const points = (name) =>
    budgets.map((_, i) => 100 * mean(lines.map((line) => line.scores[name][i] - line.scores.plain[i])));
  const settings = Object.keys(scores).filter((name) => name.startsWith('own '));
  return {
    model: basename(file, '.jsonl'),
    count: lines.length,
    budgets,
    rows: settings.map((name) => {
      const setting = name.slice('own '.length);
      return { setting, own: points(name), other: points(`other ${setting}`) };
    }),
  };
}

function report() {
  const summaries = positionals.map(summarize);
  for (const { model, count, budgets, rows } of summaries) {
    const cells = (numbers) => numbers.map((one) => one.toFixed(1)).join(' | ');
    const columns = [...budgets.map((k) => `own, ${k}`), ...budgets.map((k) => `other, ${k}`)];
    console.log(`\n${model}, ${count} questions\n\n| setting | ${columns.join(' | ')} |`);
    console.log(`| --- |${' ---: |'.repeat(columns.length)}`);
    for (const { setting, own, other } of rows)
      console.log(`| ${setting} | ${cells(own)} | ${cells(other)} |`);
  }
  if (values.plot === undefined) return;
  const dots = summaries.flatMap(({ model, rows }) =>
    rows.map(({ setting, own, other }) => {
      const kind = setting.startsWith('mix')
        ? 'mix'
        : setting.startsWith('first')
          ? 'first picks'
          : 'strength';
      return { model, setting, kind, win: mean(own), loss: mean(other) };
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
      Plot.dot(dots, { ...place, symbol: 'kind', fill: '#3366cc', r: 5 }),
      // Labels of mixes to the left of their dots, where there are fewer others.
      ...[-8, 8].map((dx) =>
        Plot.text(
          dots.filter(({ kind }) => (kind === 'mix') === dx < 0),
          { ...place, text: 'setting', dx, textAnchor: dx < 0 ? 'end' : 'start' },
        ),
      ),
    ],
  });
  chart.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  writeFileSync(values.plot, chart.outerHTML);
}

if (values.out === undefined) report();
else await ask();
