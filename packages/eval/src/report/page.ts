// The report as one HTML page that needs nothing else: no script, no network.

import type { RunResult } from '../runner/run-evaluation.js';
import { retentionChart, timeChart } from './charts.js';
import { drawExamples } from './examples.js';
import { besideThePaper, milliseconds, percent, tokenCount, withInterval } from './format.js';
import { escapeHtml, htmlTable } from './html.js';
import { beatenBy, worstKinds } from './losses.js';
import { STYLE } from './style.js';
import type { RunSummary } from './summarize-run.js';

/** The whole page. */
export async function toPage(run: RunResult, summary: RunSummary): Promise<string> {
  const { settings, questions, full, rows } = summary;
  const budgets = [...new Set(rows.map(({ budget }) => budget))];
  const title = `${settings.title}: ${settings.model}`;
  const exampleBudget = budgets[Math.floor(budgets.length / 2)];
  const examples = exampleBudget === undefined ? '' : await drawExamples(run, exampleBudget);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${questions} questions. With all ${tokenCount(full.tokens)} vision tokens the score is ${percent(full.score)} %.</p>
<dl>
<dt>Command</dt><dd><code>${escapeHtml(settings.command ?? 'runEvaluation()')}</code></dd>
<dt>Machine</dt><dd>${escapeHtml(settings.machine)}; methods on ${escapeHtml(settings.backend)}</dd>
<dt>Begun</dt><dd>${escapeHtml(settings.started)}</dd>
</dl>
</header>
<main>
${section('retention', 'Retention against kept tokens', [
  '<p class="note">Score with the kept tokens in percent of the score with all, with 95 % intervals by paired bootstrap over questions.</p>',
  retentionChart(summary),
  retentionTable(summary, budgets),
  headlineTable(summary),
])}
${
  summary.paper === undefined
    ? ''
    : section('paper', 'Beside the MMTok paper', [
        htmlTable(['from', 'method', 'tokens', summary.paper.column], besideThePaper(summary)),
      ])
}
${full.kinds.length === 0 ? '' : section('kinds', 'By kind of question', kindTables(summary, budgets))}
${section('times', 'Time to the first token', [
  '<p class="note">Medians: encoder, method (its overhead), and language model over the shortened prompt.</p>',
  ...budgets.slice(-1).map((budget) => timeChart(summary, budget)),
  timeTable(summary),
])}
${section('losses', 'Where methods lose', [lossTable(summary), mmtokLosses(summary)])}
${
  examples === ''
    ? ''
    : section('examples', `Examples with kept tokens, budget ${exampleBudget}`, [
        '<p class="note">Questions answered right with all tokens, on which methods part. Framed: kept; the grid is laid over the whole picture.</p>',
        examples,
      ])
}
${section('methods', 'Methods', [methodTable(summary)])}
</main>
</body>
</html>
`;
}

function section(id: string, title: string, parts: readonly string[]): string {
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>\n${parts.join('\n')}\n</section>`;
}

function retentionTable({ rows }: RunSummary, budgets: readonly string[]): string {
  const methods = [...new Map(rows.map(({ method, title }) => [method, title]))];
  return htmlTable(
    ['method', ...budgets],
    methods.map(([method, title]) => [
      title,
      ...budgets.map((budget) => {
        const found = rows.find((row) => row.method === method && row.budget === budget)?.retention;
        return { text: withInterval(found), ...(found && { tint: (found.value - 0.5) * 2 }) };
      }),
    ]),
  );
}

/** The benchmark's own headline, where it is more than a mean of scores. */
function headlineTable({ full, rows }: RunSummary): string {
  const { headline } = full;
  if (headline === undefined) return '';
  return htmlTable(
    ['method', 'budget', headline.name, 'retention, %'],
    [{ title: 'all tokens', budget: '', headline }, ...rows].map((row) => [
      row.title,
      row.budget,
      row.headline?.value.toFixed(4) ?? '–',
      row.headline?.retention === undefined ? '–' : percent(row.headline.retention),
    ]),
  );
}

function kindTables({ full, rows }: RunSummary, budgets: readonly string[]): string[] {
  const kinds = full.kinds.map(({ kind }) => kind);
  return budgets.map((budget, at) => {
    const lines = rows
      .filter((row) => row.budget === budget)
      .map((row) => [
        row.title,
        ...kinds.map((kind) => {
          const found = row.kinds.find((one) => one.kind === kind);
          return { text: found ? percent(found.score) : '–', tint: ((found?.retention ?? 0.5) - 0.5) * 2 };
        }),
        percent(row.score),
      ]);
    const whole = ['all tokens', ...full.kinds.map(({ score }) => percent(score)), percent(full.score)];
    const table = htmlTable(['score in %', ...kinds, 'all'], [whole, ...lines]);
    return `<details${at === budgets.length - 1 ? ' open' : ''}><summary>Budget ${escapeHtml(budget)}</summary>${table}</details>`;
  });
}

function timeTable({ full, rows }: RunSummary): string {
  const whole = [
    'all tokens',
    '',
    tokenCount(full.tokens),
    '0',
    milliseconds(full.times.prefillMs),
    milliseconds(full.times.firstTokenMs),
    '1.00 ×',
  ];
  return htmlTable(
    ['method', 'budget', 'tokens', 'select, ms', 'prefill, ms', 'first token, ms', 'speed-up'],
    [
      whole,
      ...rows.map(({ title, budget, tokens, times, speedup }) => [
        title,
        budget,
        tokenCount(tokens),
        milliseconds(times.selectMs),
        milliseconds(times.prefillMs),
        milliseconds(times.firstTokenMs),
        `${speedup.toFixed(2)} ×`,
      ]),
    ],
  );
}

function lossTable(summary: RunSummary): string {
  const worst = worstKinds(summary);
  return htmlTable(
    ['method', 'budget', 'answers lost', 'won', 'same answer', 'worst kind', 'points'],
    summary.rows.map((row) => {
      const found = worst.find((one) => one.row === row);
      return [
        row.title,
        row.budget,
        String(row.lost),
        String(row.won),
        `${percent(row.agreement)} %`,
        found?.kind ?? '–',
        found ? percent(found.change) : '–',
      ];
    }),
  );
}

function mmtokLosses(summary: RunSummary): string {
  const beaten = beatenBy(summary, 'mmtok');
  if (!summary.rows.some(({ method }) => method === 'mmtok')) return '';
  if (beaten.length === 0) return '<p>No other method scores higher than MMTok at any of these budgets.</p>';
  const items = beaten.map(
    ({ budget, own, better }) =>
      `<li>${escapeHtml(budget)} (MMTok ${percent(own.score)}): ${better.map((row) => `${escapeHtml(row.title)} ${percent(row.score)}`).join(', ')}</li>`,
  );
  return `<p>Methods that score higher than MMTok:</p><ul>${items.join('')}</ul>`;
}

function methodTable({ settings }: RunSummary): string {
  return htmlTable(
    ['method', 'name', 'source'],
    settings.methods.map(({ title, name, source }) => [title, name, source]),
  );
}
