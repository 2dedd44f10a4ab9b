// The report as one HTML page that needs nothing else: no script, no network.

import { escapeHtml } from '@mmtok/core/internal';
import type { RunResult } from '../runner/run-evaluation.js';
import type { Task } from '../tasks/task.js';
import { retentionChart, timeChart } from './charts.js';
import { equalTimeTable } from './equal-time.js';
import { drawExamples } from './examples.js';
import { percent, tokenCount } from './format.js';
import { htmlTable } from './html.js';
import { mmtokLosses } from './losses.js';
import { STYLE } from './style.js';
import { type RunSummary, skippedInWords } from './summarize-run.js';
import {
  budgetsOf,
  headlineTable,
  kindTable,
  lossTable,
  methodTable,
  paperTable,
  retentionTable,
  type Table,
  timeTable,
} from './tables.js';

/** The whole page. */
export async function toPage(
  run: RunResult,
  summary: RunSummary,
  task?: Pick<Task, 'truth'>,
): Promise<string> {
  const { settings, questions, full } = summary;
  const budgets = budgetsOf(summary);
  const title = `${settings.title}: ${settings.model}`;
  const exampleBudget = budgets[Math.floor(budgets.length / 2)];
  const examples = exampleBudget === undefined ? '' : await drawExamples(run, exampleBudget, task);
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
<p>${questions} questions. With all ${tokenCount(full.visionTokens)} vision tokens the score is ${percent(full.score)} %.</p>
<dl>
<dt>Command</dt><dd><code>${escapeHtml(settings.command ?? 'runEvaluation()')}</code></dd>
<dt>Machine</dt><dd>${escapeHtml(settings.machine)}; methods on ${escapeHtml(settings.backend)}</dd>
${settings.agent === undefined ? '' : `<dt>Agent</dt><dd>${escapeHtml(settings.agent)}</dd>\n`}<dt>Begun</dt><dd>${escapeHtml(settings.started)}</dd>
</dl>
${skippedAsHtml(skippedInWords(summary))}</header>
<main>
${section('retention', 'Retention against kept tokens', [
  '<p class="note">Score with the kept tokens in percent of the score with all, with 95 % intervals by paired bootstrap over questions.</p>',
  retentionChart(summary),
  ...tablesOf(retentionTable(summary), headlineTable(summary)),
])}
${section('paper', 'Beside the MMTok paper', tablesOf(paperTable(summary)))}
${section('kinds', 'By kind of question', kindTables(summary, budgets))}
${section('times', 'Time to the first token', [
  '<p class="note">Medians: encoder, agent, method (its overhead), and language model over the shortened prompt.</p>',
  ...budgets.slice(-1).map((budget) => timeChart(summary, budget)),
  ...tablesOf(timeTable(summary), equalTimeTable(summary)),
])}
${section('losses', 'Where methods lose', [...tablesOf(lossTable(summary)), ...lossesInWords(summary)])}
${
  examples === ''
    ? ''
    : section('examples', `Examples with kept tokens, budget ${exampleBudget}`, [
        '<p class="note">Questions answered right with all tokens, on which methods part. Framed: kept; the grid is laid over the whole picture.</p>',
        examples,
      ])
}
${section('methods', 'Methods', tablesOf(methodTable(summary)))}
</main>
</body>
</html>
`;
}

/** A part of the page; nothing where there is nothing in it. */
function section(id: string, title: string, parts: readonly string[]): string {
  if (parts.length === 0) return '';
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>\n${parts.join('\n')}\n</section>`;
}

const tablesOf = (...tables: readonly (Table | undefined)[]): string[] =>
  tables.flatMap((table) => (table === undefined ? [] : [htmlTable(table)]));

/** One table per budget, of which the last is open. */
function kindTables(summary: RunSummary, budgets: readonly string[]): string[] {
  return budgets.flatMap((budget, at) =>
    tablesOf(kindTable(summary, budget)).map(
      (table) =>
        `<details${at === budgets.length - 1 ? ' open' : ''}><summary>Budget ${escapeHtml(budget)}</summary>${table}</details>`,
    ),
  );
}

function lossesInWords(summary: RunSummary): string[] {
  const losses = mmtokLosses(summary);
  if (losses === undefined) return [];
  const items = losses.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('');
  return [`<p>${escapeHtml(losses.lead)}</p>`, ...(items === '' ? [] : [`<ul>${items}</ul>`])];
}

function skippedAsHtml([lead, ...items]: readonly string[]): string {
  if (lead === undefined) return '';
  const list = items.map((item) => `<li>${escapeHtml(item)}</li>`).join('');
  return `<details><summary>${escapeHtml(lead)}</summary><ul>${list}</ul></details>\n`;
}
