// The charts of the page, rendered to SVG by Observable Plot when the report is written.

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Interval } from '../stats/statistics.js';
import type { RunSummary, SummaryRow } from './summarize-run.js';

/** A distinct color per method, readable on light and dark backgrounds; MMTok has the first. */
const COLORS = [
  '#e4572e',
  '#2f80c8',
  '#2a9d6f',
  '#a05cc5',
  '#c98a00',
  '#d1478c',
  '#4a9fb0',
  '#7d8b2f',
  '#8c6d4f',
  '#5b6fd6',
  '#bf5b5b',
  '#5f9e3e',
  '#b0793d',
  '#9a5fa0',
  '#3d8f8f',
  '#87868c',
  '#c46a9a',
  '#6f87a8',
  '#a3a13a',
  '#d98566',
  '#70b08c',
];

/** Colors beyond the list are spread over the hues by the golden angle. */
const colorOf = (index: number): string => COLORS[index] ?? `hsl(${(index * 137.5) % 360} 45% 50%)`;

/** The phases of the time to first token, in order. */
const PHASES = [
  { name: 'encode', color: '#87868c' },
  { name: 'agent', color: '#c98a00' },
  { name: 'select', color: '#e4572e' },
  { name: 'language model', color: '#2f80c8' },
];

/** Ratio between the x positions of neighbors at one budget. */
const STEP = 1.012;

/** Retention by kept tokens: a line per method, with intervals. */
export function retentionChart(summary: RunSummary): string {
  const titles = [...new Set(summary.rows.map(({ title }) => title))];
  // Spread out, so that the intervals of methods at one budget do not overlap.
  const place = (row: SummaryRow): number =>
    row.keptTokens * STEP ** (titles.indexOf(row.title) - titles.length / 2);
  const points = summary.rows
    .flatMap((row) =>
      row.retention
        ? [{ title: row.title, tokens: row.keptTokens, place: place(row), ...inPercent(row.retention) }]
        : [],
    )
    // The first method is drawn last, on top of the others.
    .reverse();
  const counts = [...new Set(points.map(({ tokens }) => tokens))].sort((a, b) => a - b);
  const isFirst = ({ title }: { readonly title: string }): boolean => title === titles[0];
  return render({
    width: 860,
    height: 440,
    marginRight: 20,
    x: {
      type: 'log',
      label: 'vision tokens kept',
      ticks: counts.length > 8 ? 8 : counts,
      tickFormat: (tokens: number) => String(Math.round(tokens)),
      grid: true,
    },
    y: { label: 'retention, % of the score with all tokens', grid: true, nice: true },
    color: { legend: true, domain: titles, range: titles.map((_, at) => colorOf(at)) },
    marks: [
      Plot.ruleY([100], { strokeDasharray: '4 3', strokeOpacity: 0.6 }),
      Plot.ruleX(points, {
        x: 'place',
        y1: 'low',
        y2: 'high',
        stroke: 'title',
        strokeOpacity: 0.35,
        strokeWidth: 2,
      }),
      Plot.line(points, {
        x: 'place',
        y: 'value',
        stroke: 'title',
        strokeWidth: (one: { readonly title: string }) => (isFirst(one) ? 3 : 1.5),
        z: 'title',
      }),
      Plot.dot(points, {
        x: 'place',
        y: 'value',
        fill: 'title',
        r: (one: { readonly title: string }) => (isFirst(one) ? 4.5 : 3),
        title: ({ title, tokens, value, low, high }: (typeof points)[number]) =>
          `${title}: ${value.toFixed(1)} % (${low.toFixed(1)}–${high.toFixed(1)}) with ${tokens.toFixed(0)} tokens`,
      }),
    ],
  });
}

function inPercent({ value, low, high }: NonNullable<SummaryRow['retention']>): {
  readonly value: number;
  readonly low: number;
  readonly high: number;
} {
  return { value: value * 100, low: low * 100, high: high * 100 };
}

/** Time to first token at one budget: encoder, agent, token selection, and language model. */
export function timeChart({ full, rows }: RunSummary, budget: string): string {
  const own = rows.filter((row) => row.budget === budget);
  const hasAgent = own.some(({ times }) => times.agentMs > 0);
  const phases = PHASES.filter(({ name }) => hasAgent || name !== 'agent');
  const bars = [{ title: 'all tokens', times: full.times }, ...own].flatMap(({ title, times }) => [
    { title, phase: 'encode', ms: full.encodeMs },
    { title, phase: 'agent', ms: times.agentMs },
    { title, phase: 'select', ms: times.selectMs },
    { title, phase: 'language model', ms: times.prefillMs },
  ]);
  return render({
    width: 860,
    marginLeft: 170,
    height: 70 + 24 * (own.length + 1),
    x: { label: 'milliseconds to first token (medians)', grid: true },
    y: { label: null, domain: [...new Set(bars.map(({ title }) => title))] },
    color: {
      legend: true,
      domain: phases.map(({ name }) => name),
      range: phases.map(({ color }) => color),
    },
    marks: [
      Plot.barX(bars, {
        x: 'ms',
        y: 'title',
        fill: 'phase',
        order: phases.map(({ name }) => name),
        title: ({ title, phase, ms }: (typeof bars)[number]) => `${title}: ${phase} ${ms.toFixed(2)} ms`,
      }),
    ],
  });
}

/** Score differences with their intervals in percentage points, a line per row. */
export function differenceChart(rows: readonly (Interval & { readonly label: string })[]): string {
  const points = rows.map(({ label, value, low, high }) => ({
    label,
    value: value * 100,
    low: low * 100,
    high: high * 100,
    color: low > 0 ? '#2a9d6f' : high < 0 ? '#cf222e' : '#87868c',
  }));
  return render({
    width: 860,
    marginLeft: 220,
    height: 70 + 26 * rows.length,
    x: { label: 'score of B minus score of A, percentage points', grid: true, nice: true },
    y: { label: null, domain: [...new Set(rows.map(({ label }) => label))] },
    marks: [
      Plot.ruleX([0], { strokeOpacity: 0.6 }),
      Plot.ruleY(points, { y: 'label', x1: 'low', x2: 'high', stroke: 'color', strokeWidth: 2 }),
      Plot.dot(points, {
        x: 'value',
        y: 'label',
        fill: 'color',
        r: 4,
        title: ({ label, value, low, high }: (typeof points)[number]) =>
          `${label}: ${value.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`,
      }),
    ],
  });
}

function render(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  return `<div class="chart">${Plot.plot({ ...options, document }).outerHTML}</div>`;
}
