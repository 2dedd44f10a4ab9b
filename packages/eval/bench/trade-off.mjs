// What a focus wins with the right question, and loses with the words of a question about another image: right answers above vision
// coverage alone, over settings of the focus. Run it on validation questions only (decision 9 says how to make them), since settings
// are chosen by it. Kept tokens are renumbered, as with `positions: 'compact'`.
//   node bench/trade-off.mjs --model base --limit 350 --out base.jsonl       asks, and adds a line per question
//   node bench/trade-off.mjs --plot trade-off.svg base.jsonl small.jsonl     prints a table of each file, and draws them
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { selectTokens, visionCoverage } from '@mmtok/core';
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
    out: { type: 'string' },
    plot: { type: 'string' },
  },
});

const BUDGETS = { base: [57, 16, 8, 4], small: [16, 8, 4] };
const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** Relevance as in `visionCoverage`: the mean cosine with the rows of the text, from 0 to 1 over the image. */
function relevanceOf({ data, dims: [count, width] }, text) {
  const unit = (rows, row) => {
    const own = rows.subarray(row * width, (row + 1) * width);
    const length = Math.max(1e-8, Math.hypot(...own));
    return own.map((value) => value / length);
  };
  const asked = Array.from({ length: text.dims[0] }, (_, row) => unit(text.data, row));
  const cosines = Array.from({ length: count }, (_, row) => {
    const token = unit(data, row);
    return mean(asked.map((word) => word.reduce((sum, value, d) => sum + value * token[d], 0)));
  });
  const lowest = Math.min(...cosines);
  const range = Math.max(1e-6, Math.max(...cosines) - lowest);
  return cosines.map((cosine) => (cosine - lowest) / range);
}

/** Weights that leave `1 - share` of the whole to all targets alike, and give the rest by relevance. */
function mixed(relevance, focus, share) {
  const powers = relevance.map((one) => Math.exp(focus * one));
  const average = mean(powers);
  return powers.map((power) => 1 - share + (share * power) / average);
}

/** Orders of picks by setting, for one text. A setting whose order depends on the budget has a function. */
async function ordersOf(select, { vision, text }, largest) {
  const focused = async (focus) => (await select({ focus }, largest)).order;
  const relevance = relevanceOf(vision, text);
  const orders = {};
  for (const focus of [2, 3, 4, 'auto'])
    orders[focus === 'auto' ? 'auto' : `focus ${focus}`] = await focused(focus);
  for (const [focus, shares] of [
    [4, [0.2, 0.3, 0.4, 0.5]],
    [6, [0.3, 0.5]],
    [8, [0.3, 0.5]],
  ]) {
    for (const share of shares) {
      const targetWeights = mixed(relevance, focus, share);
      orders[`mix ${focus}, ${share}`] = (await select({ targetWeights }, largest)).order;
    }
  }
  for (const share of [0.5, 0.75]) {
    orders[`first ${share}`] = async (tokens) => {
      const include = orders['focus 4'].slice(0, Math.ceil(share * tokens));
      return (await select({}, tokens, { include })).order;
    };
  }
  return orders;
}

async function ask() {
  const model = await openBatched(values.model, { positions: 'compact' });
  const backend = await createOrtBackend({ sessionOptions: { intraOpNumThreads: 1 } });
  const budgets = BUDGETS[values.model];
  const limit = values.limit === undefined ? undefined : Number(values.limit);
  const questions = await heldOut({ size: values.model, limit });
  const texts = [];
  for (const [at, question] of questions.entries()) {
    const { features, score } = await model.prepare(question);
    texts.push(features.text);
    // Two questions in a row may be about the same image, this one and the third before it are not.
    const other = texts[at - 3];
    if (other === undefined) continue;
    const named = {};
    for (const [name, text] of [
      ['own', features.text],
      ['other', other],
    ]) {
      const { vision, visionFeatures } = features;
      const select = (options, tokens, constraints) =>
        selectTokens({
          ...{ backend, vision, visionFeatures, text, budget: { tokens }, constraints },
          coverage: [visionCoverage(options)],
        });
      named.plain ??= (await select({}, budgets[0])).order;
      const orders = await ordersOf(select, { vision, text }, budgets[0]);
      for (const [setting, order] of Object.entries(orders)) named[`${name} ${setting}`] = order;
    }
    const scores = {};
    const jobs = [];
    for (const [name, order] of Object.entries(named)) {
      for (const tokens of budgets) {
        const picks = typeof order === 'function' ? await order(tokens) : order.slice(0, tokens);
        jobs.push({ name, indices: picks.toSorted((a, b) => a - b) });
      }
      scores[name] = [];
    }
    const right = await score(jobs.map(({ indices }) => indices));
    for (const [i, { name }] of jobs.entries()) scores[name].push(right[i]);
    appendFileSync(values.out, `${JSON.stringify({ question: at, kind: question.kind, budgets, scores })}\n`);
  }
  await model.close();
  await backend.dispose();
}

/** For each setting, points above vision coverage alone at each budget, with the own and with another question's words. */
function summarize(file) {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
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

if (values.plot === undefined) await ask();
else report();
