// The report as a single HTML page without scripts or external files.

import { readFile, stat } from 'node:fs/promises';
import { imageGrids, type TokenGrid, tokenMarks } from '@mmtok/core/internal';
import { html, raw } from 'hono/html';
import { ALL, type EvalRecord } from '../runner/records.js';
import type { RunResult } from '../runner/run-evaluation.js';
import { groupBy, mean } from '../stats/statistics.js';
import type { Task } from '../tasks/task.js';
import { retentionChart, timeChart } from './charts.js';
import { type Html, htmlList, htmlPage, htmlTable } from './formats.js';
import { budgetsOf, type RunSummary, scoreOf, skippedInWords } from './summarize-run.js';
import {
  equalTimeTable,
  kindTable,
  LOST_KINDS_TITLE,
  lossTable,
  lostKindTable,
  methodTable,
  mmtokLosses,
  modelOptionsInWords,
  paperTable,
  percent,
  primaryMetricTable,
  retentionTable,
  type Table,
  timeTable,
  tokenCount,
} from './tables.js';

// Examples: questions on which the methods disagree, with the kept tokens drawn over the image.

/** Number of questions shown. */
const EXAMPLES = 6;
/** Larger images are left out to keep the page small. */
const MAX_BYTES = 1_500_000;

/** A question with all its answers at one budget. */
interface Example {
  readonly full: EvalRecord;
  readonly pruned: readonly EvalRecord[];
}

/**
 * Draws examples at one budget; an empty list if there are none.
 * @param budget as written in the records.
 * @param task gives the right answer if the records do not contain it as text.
 */
async function drawExamples(
  run: RunResult,
  budget: string,
  task: Pick<Task, 'referenceAnswer'> | undefined,
): Promise<Html[]> {
  const cards: Html[] = [];
  for (const example of tellingExamples(run.records, budget)) {
    if (cards.length === EXAMPLES) break;
    const url = await imageAsUrl(example.full.image);
    if (url !== undefined) cards.push(drawExample(example, url, cards.length, run, task));
  }
  return cards;
}

/**
 * Questions answered correctly with all tokens, those that divide the methods most evenly first. Questions that the first method
 * answers correctly alternate with others.
 */
function tellingExamples(records: readonly EvalRecord[], budget: string): Example[] {
  const byId = groupBy(
    records.filter((record) => record.budget === budget && gridsOf(record).length > 0),
    ({ id }) => id,
  );
  const found = records
    .filter((record) => record.method === ALL && scoreOf(record) > 0)
    .flatMap((full): Example[] => {
      const pruned = byId.get(full.id);
      return pruned === undefined ? [] : [{ full, pruned }];
    });
  const balance = ({ pruned }: Example): number => Math.abs(mean(pruned.map(scoreOf)) - 0.5);
  const ordered = found.toSorted((a, b) => balance(a) - balance(b));
  const won = ordered.filter(({ pruned }) => scoreOf(pruned[0] as EvalRecord) > 0);
  const lost = ordered.filter(({ pruned }) => scoreOf(pruned[0] as EvalRecord) === 0);
  return ordered.flatMap((_, at) => [won[at], lost[at]].filter((one) => one !== undefined));
}

async function imageAsUrl(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > MAX_BYTES) return undefined;
    const bytes = await readFile(path);
    const type = mediaType(bytes);
    return type && `data:${type};base64,${bytes.toString('base64')}`;
  } catch {
    // An image inside a dataset's file has no path.
    return undefined;
  }
}

function mediaType(bytes: Buffer): string | undefined {
  if (bytes.readUInt32BE(0) === 0x89504e47) return 'image/png';
  if (bytes.readUInt16BE(0) === 0xffd8) return 'image/jpeg';
  if (bytes.toString('latin1', 0, 3) === 'GIF') return 'image/gif';
  return bytes.toString('latin1', 8, 12) === 'WEBP' ? 'image/webp' : undefined;
}

function drawExample(
  { full, pruned }: Example,
  url: string,
  number: number,
  { settings }: RunResult,
  task: Pick<Task, 'referenceAnswer'> | undefined,
): Html {
  const title = (method: string): string =>
    settings.methods.find(({ name }) => name === method)?.title ?? method;
  const order = settings.methods.map(({ name }) => name);
  const views = pruned
    .toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method))
    .map((record) => view(record, title(record.method), number));
  const expected = expectedAnswer(full, task);
  return html`<article class="example"><style>.image-${number}{background-image:url(${raw(url)})}</style>
<p><strong>${full.question}</strong><br>${expected === undefined ? '' : `Expected: ${expected}. `}With all ${full.visionTokens} tokens: ${full.answer}.</p>
<div class="views">${views}</div></article>`;
}

/** The gold answer or answers; undefined if only the task can read them and there is no task. */
function expectedAnswer(
  { id, question, target }: EvalRecord,
  task: Pick<Task, 'referenceAnswer'> | undefined,
): string | undefined {
  if (typeof target === 'string') return target;
  if (Array.isArray(target) && target.every((one) => typeof one === 'string')) {
    return [...new Set(target)].join(' or ');
  }
  return task?.referenceAnswer?.({ id, question, target, images: [] });
}

/** Side length of a token in the drawing. */
const CELL = 12;

/** The kept tokens as grids that each span the whole image: one, or those of the tiles and of the overview. */
function gridsOf({ grid, tiling, indices = [] }: EvalRecord): readonly TokenGrid[] {
  if (tiling !== undefined) return imageGrids(tiling, indices);
  return grid === undefined ? [] : [{ rows: grid[0], columns: grid[1], kept: indices }];
}

function view(record: EvalRecord, title: string, number: number): Html {
  const verdict = scoreOf(record) > 0 ? 'right' : 'wrong';
  const grids = gridsOf(record);
  const [{ rows, columns } = { rows: 1, columns: 1 }] = grids;
  const drawings = grids.map((grid) => {
    const [width, height] = [grid.columns * CELL, grid.rows * CELL];
    return html`<span class="image image-${number}" style="aspect-ratio:${columns}/${rows}"><svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${grid.kept.length} kept tokens">${raw(tokenMarks(grid, width, height))}</svg></span>`;
  });
  return html`<figure class="view">${drawings}<figcaption>${title}: <span class="${verdict}">${record.answer} ${verdict === 'right' ? '✓' : '✗'}</span></figcaption></figure>`;
}

/** The whole page. */
export async function toPage(
  run: RunResult,
  summary: RunSummary,
  task?: Pick<Task, 'referenceAnswer'>,
): Promise<string> {
  const { settings, questions, full } = summary;
  const budgets = budgetsOf(summary);
  const title = `${settings.title}: ${settings.model}`;
  const modelOptions = modelOptionsInWords(settings);
  const exampleBudget = budgets[Math.floor(budgets.length / 2)];
  const examples = exampleBudget === undefined ? [] : await drawExamples(run, exampleBudget, task);
  const details: readonly (readonly [string, string | Html])[] = [
    ['Command', html`<code>${settings.command ?? 'runEvaluation()'}</code>`],
    ...(modelOptions === '' ? [] : [['Model options', modelOptions] as const]),
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
${section('paper', 'Compared with the MMTok paper', tablesOf(paperTable(summary)))}
${section('kinds', 'By kind of question', kindTables(summary, budgets))}
${section('times', 'Time to first token', [
  note('Medians of encoder, agent, token selection, and the language model over the shortened prompt.'),
  ...budgets.slice(-1).map((budget) => raw(timeChart(summary, budget))),
  ...tablesOf(timeTable(summary), equalTimeTable(summary)),
])}
${section('losses', 'Where methods lose', [...tablesOf(lossTable(summary)), ...lossesInWords(summary)])}
${section('lost', LOST_KINDS_TITLE, tablesOf(lostKindTable(summary)))}
${
  examples.length === 0
    ? ''
    : section('examples', `Examples with kept tokens, budget ${exampleBudget}`, [
        note(
          'Questions answered correctly with all tokens on which the methods disagree. Kept tokens are framed; the grid spans the whole image. For an image in tiles, the second drawing shows the overview, and tiles that were not encoded are nearly black.',
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
