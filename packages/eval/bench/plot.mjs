// Score against budget, a panel for each benchmark, from the records of runs (of score.mjs, or of `mmtok eval`).
//   node bench/plot.mjs "shapes=run-a,run-b" tiled=run-c --methods focus-3,mmtok,random --plot score-by-budget.svg [--intervals]
// Labels of lines come from the first panel's order of methods; a method missing in a panel is left out there. `--intervals` draws 95 %
// intervals by paired bootstrap over questions, side by side.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { retention } from '../dist/index.js';
import { pairs, readAnswers, titleOf } from './records.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    methods: { type: 'string' },
    plot: { type: 'string' },
    intervals: { type: 'boolean', default: false },
  },
});
if (values.methods === undefined || values.plot === undefined || positionals.length === 0)
  throw new Error('Usage: node bench/plot.mjs <panel>=<run>,… --methods a,b --plot file.svg [--intervals]');
const methods = values.methods.split(',');

/** How far apart, relative to their tokens, points of the same budget are drawn if they have intervals. */
const APART = 0.018;

/** Points of all lines of a panel: tokens kept, and the score in percent of that with all tokens, with its interval. */
async function pointsOf(panel) {
  const [name, folders] = panel.split('=');
  const { whole, rows } = await readAnswers(folders.split(','));
  const all = [...whole.values()];
  const title = `${name}, ${all.length} questions, ${all[0].keptTokens} tokens`;
  return rows
    .filter(({ method }) => methods.includes(method))
    .map(({ method, title: label, keptTokens, answers }) => {
      const { value, low, high } = retention(...pairs(whole, answers));
      const place = values.intervals ? methods.indexOf(method) - (methods.length - 1) / 2 : 0;
      return {
        ...{ panel: title, method: label, tokens: keptTokens * (1 + APART * place) },
        ...{ score: 100 * value, low: 100 * low, high: 100 * high },
      };
    });
}

const points = (await Promise.all(positionals.map(pointsOf))).flat().toSorted((a, b) => a.tokens - b.tokens);
const { document } = parseHTML('<!doctype html><html><body></body></html>');
const COLORS = [
  '#d62728',
  '#1f77b4',
  '#2ca02c',
  '#ff7f0e',
  '#9467bd',
  '#8c564b',
  '#17becf',
  '#bcbd22',
  '#e377c2',
  '#7f7f7f',
];
const titles = methods.map(titleOf);
const place = { x: 'tokens', y: 'score', fx: 'panel', stroke: 'method' };
const chart = Plot.plot({
  document,
  width: 960,
  height: 460,
  marginRight: 150,
  marginLeft: 45,
  x: {
    type: 'log',
    label: 'vision tokens kept',
    labelAnchor: 'center',
    ticks: [4, 8, 16, 32, 64, 128, 192].filter((tokens) => tokens <= points.at(-1).tokens),
    tickFormat: String,
    grid: true,
  },
  y: { label: 'score in % of that with all tokens', domain: [20, 101], grid: true },
  fx: { label: null },
  color: { domain: titles, range: COLORS.slice(0, titles.length) },
  style: { background: 'white', color: '#222', fontFamily: 'sans-serif' },
  marks: [
    Plot.ruleY([100], { strokeOpacity: 0.4 }),
    Plot.ruleX(values.intervals ? points : [], {
      ...{ x: 'tokens', y1: 'low', y2: 'high', fx: 'panel', stroke: 'method' },
      ...{ strokeWidth: 2.5, strokeOpacity: 0.35 },
    }),
    Plot.line(points, {
      ...place,
      z: 'method',
      strokeWidth: (one) => (one.method === titles[0] ? 3.5 : 1.5),
    }),
    Plot.dot(points, { ...place, fill: 'method', r: 2.5 }),
  ],
});
chart.setAttribute('xmlns', 'http://www.w3.org/2000/svg');

// A legend in the right margin; a separate one would be another element, outside the image.
const svg = (name, attributes, text) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  chart.append(element);
};
for (const [at, title] of titles.entries()) {
  const y = 50 + 22 * at;
  svg('line', { x1: 818, x2: 838, y1: y, y2: y, stroke: COLORS[at], 'stroke-width': at === 0 ? 4 : 2 });
  svg('text', { x: 844, y: y + 4, fill: '#222', 'text-anchor': 'start' }, title);
}
writeFileSync(values.plot, chart.outerHTML);
