// The report as a single HTML page without scripts or external files.

import { html, raw } from 'hono/html';
import type { RunResult } from '../runner/run-evaluation.js';
import type { Task } from '../tasks/task.js';
import { retentionChart, timeChart } from './charts.js';
import { drawExamples } from './examples.js';
import { type Html, htmlList, htmlPage, htmlTable } from './html.js';
import { type RunSummary, skippedInWords } from './summarize-run.js';
import {
  budgetsOf,
  kindTable,
  lossTable,
  methodTable,
  mmtokLosses,
  paperTable,
  percent,
  primaryMetricTable,
  retentionTable,
  type Table,
  timeTable,
  tokenCount,
} from './tables.js';

/** The whole page. */
export async function toPage(
  run: RunResult,
  summary: RunSummary,
  task?: Pick<Task, 'referenceAnswer'>,
): Promise<string> {
  const { settings, questions, full } = summary;
  const budgets = budgetsOf(summary);
  const title = `${settings.title}: ${settings.model}`;
  const exampleBudget = budgets[Math.floor(budgets.length / 2)];
  const examples = exampleBudget === undefined ? [] : await drawExamples(run, exampleBudget, task);
  const details: readonly (readonly [string, string | Html])[] = [
    ['Command', html`<code>${settings.command ?? 'runEvaluation()'}</code>`],
    ['Machine', `${settings.machine}; methods on ${settings.backend}`],
    ...(settings.agent === undefined ? [] : [['Agent', settings.agent] as const]),
    ['Started', settings.started],
  ];
  const page = htmlPage(
    title,
    html`<header>
<h1>${title}</h1>
<p>${questions} questions. With all ${tokenCount(full.visionTokens)} vision tokens the score is ${percent(full.score)} %.</p>
<dl>
${details.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>
${skippedAsHtml(skippedInWords(summary))}</header>
<main>
${section('retention', 'Retention by kept tokens', [
  note(
    'Score with the kept tokens as a percentage of the score with all tokens; 95 % intervals by paired bootstrap over questions.',
  ),
  raw(retentionChart(summary)),
  ...tablesOf(retentionTable(summary), primaryMetricTable(summary)),
])}
${section('paper', 'Next to the MMTok paper', tablesOf(paperTable(summary)))}
${section('kinds', 'By kind of question', kindTables(summary, budgets))}
${section('times', 'Time to first token', [
  note('Medians of encoder, agent, token selection, and the language model over the shortened prompt.'),
  ...budgets.slice(-1).map((budget) => raw(timeChart(summary, budget))),
  ...tablesOf(timeTable(summary)),
])}
${section('losses', 'Where methods lose', [...tablesOf(lossTable(summary)), ...lossesInWords(summary)])}
${
  examples.length === 0
    ? ''
    : section('examples', `Examples with kept tokens, budget ${exampleBudget}`, [
        note(
          'Questions answered correctly with all tokens on which the methods disagree. Kept tokens are framed; the grid spans the whole image.',
        ),
        ...examples,
      ])
}
${section('methods', 'Methods', tablesOf(methodTable(summary)))}
</main>`,
  );
  return String(await page);
}

const note = (text: string): Html => html`<p class="note">${text}</p>`;

/** A part of the page; empty if it has no content. */
function section(id: string, title: string, parts: readonly Html[]): Html | '' {
  if (parts.length === 0) return '';
  return html`<section id="${id}"><h2>${title}</h2>\n${parts.map((part) => html`${part}\n`)}</section>`;
}

const tablesOf = (...tables: readonly (Table | undefined)[]): Html[] =>
  tables.flatMap((table) => (table === undefined ? [] : [htmlTable(table)]));

/** One table per budget; the last one is open. */
function kindTables(summary: RunSummary, budgets: readonly string[]): Html[] {
  return budgets.flatMap((budget, at) =>
    tablesOf(kindTable(summary, budget)).map(
      (table) =>
        html`<details${at === budgets.length - 1 ? ' open' : ''}><summary>Budget ${budget}</summary>${table}</details>`,
    ),
  );
}

function lossesInWords(summary: RunSummary): Html[] {
  const losses = mmtokLosses(summary);
  if (losses === undefined) return [];
  return [html`<p>${losses.lead}</p>`, ...(losses.items.length === 0 ? [] : [htmlList(losses.items)])];
}

function skippedAsHtml([lead, ...items]: readonly string[]): Html | '' {
  if (lead === undefined) return '';
  return html`<details><summary>${lead}</summary>${htmlList(items)}</details>\n`;
}
