// The report of a run as Markdown and CSV, and writing it, with the page, next to the run's records.

import { csvFormat } from 'd3-dsv';
import type { RunResult } from '../runner/run-evaluation.js';
import { writeFiles } from '../runner/run-folder.js';
import type { Task } from '../tasks/task.js';
import { escapeMarkdown, listToMarkdown, markdownCode, tableToMarkdown } from './formats.js';
import { budgetsOf, type RunSummary, skippedInWords, summarizeRun } from './summarize-run.js';
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

/**
 * Writes `report.html`, `report.md` and `report.csv` into the run's folder.
 * @param task needed for benchmarks that the MMTok paper reports, whose gold answers are not text, or whose primary metric is more
 * than a mean of scores.
 * @returns Their paths, the page first.
 * @throws RunError if there are no answers with all tokens.
 * @throws WriteError if a file cannot be written.
 */
export async function writeReport(
  run: RunResult,
  task?: Pick<Task, 'aggregate' | 'paper' | 'referenceAnswer'>,
): Promise<string[]> {
  const summary = summarizeRun(run, task);
  // The plotting library is large, and only the page needs it.
  const { toPage } = await import('./page.js');
  return writeFiles(
    run.folder,
    [
      ['report.html', await toPage(run, summary, task)],
      ['report.md', toMarkdown(summary)],
      ['report.csv', toCsv(summary)],
    ],
    (path, reason) =>
      `The report cannot be written to '${path}' (${reason}). The answers are kept: free space or fix permissions, then run ` +
      `mmtok eval report ${run.folder}`,
  );
}

// The report as Markdown and as CSV. Questions, answers and titles come from files and models, so both formats escape them.

/** The whole report. */
export function toMarkdown(summary: RunSummary): string {
  const { settings, questions, full } = summary;
  const losses = mmtokLosses(summary);
  const modelOptions = modelOptionsInWords(settings);
  const parts = [
    `# ${escapeMarkdown(`${settings.title}: ${settings.model}`)}`,
    `${questions} questions. With all ${tokenCount(full.visionTokens)} vision tokens the score is ${percent(full.score)} %. ` +
      `Methods ran on ${escapeMarkdown(settings.backend)}, seed ${settings.seed}.`,
    [
      `- Command: ${markdownCode(settings.command ?? 'runEvaluation()')}`,
      ...(modelOptions === '' ? [] : [`- Model options: ${escapeMarkdown(modelOptions)}`]),
      `- Machine: ${escapeMarkdown(settings.machine)}`,
      `- Started: ${escapeMarkdown(settings.started)}`,
      ...(settings.agent === undefined ? [] : [`- Agent: ${escapeMarkdown(settings.agent)}`]),
    ].join('\n'),
    ...skippedAsList(skippedInWords(summary)),
    '## Retention',
    'Score with the kept tokens as a percentage of the score with all tokens; 95 % intervals by paired bootstrap.',
    tableToMarkdown(retentionTable(summary)),
    ...titled(`## ${escapeMarkdown(full.primaryMetric?.name ?? '')}`, primaryMetricTable(summary)),
    ...titled('## Compared with the MMTok paper', paperTable(summary)),
    ...budgetsOf(summary).flatMap((budget) =>
      titled(`## Score by kind of question, budget ${escapeMarkdown(budget)}`, kindTable(summary, budget)),
    ),
    '## Times',
    'Medians in milliseconds. Time to first token is encoder, agent, token selection, and the language model up to the first ' +
      'token of the answer; speedup is relative to all tokens.',
    tableToMarkdown(timeTable(summary)),
    ...titled('## A smaller image at the same time to first token', equalTimeTable(summary)),
    '## Where methods lose',
    tableToMarkdown(lossTable(summary)),
    ...(losses === undefined ? [] : [escapeMarkdown(losses.lead)]),
    ...(losses && losses.items.length > 0 ? [listToMarkdown(losses.items)] : []),
    ...titled(`## ${LOST_KINDS_TITLE}`, lostKindTable(summary)),
    '## Methods',
    tableToMarkdown(methodTable(summary)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function titled(title: string, table: Table | undefined): string[] {
  return table === undefined ? [] : [title, tableToMarkdown(table)];
}

function skippedAsList([lead, ...items]: readonly string[]): string[] {
  return lead === undefined ? [] : [lead, listToMarkdown(items)];
}

const CSV_COLUMNS = [
  'method',
  'budget',
  'kind',
  'questions',
  'kept_tokens',
  'score',
  'retention',
  'retention_low',
  'retention_high',
  'agreement',
  'lost',
  'won',
  'agent_ms',
  'select_ms',
  'prefill_ms',
  'first_token_ms',
  'speedup',
] as const;

type CsvLine = Partial<Record<(typeof CSV_COLUMNS)[number], string | number | undefined>>;

/** Comma-separated values with a header: one line per method, budget, and kind of question; `all` means every kind. */
export function toCsv({ full, rows, questions }: RunSummary): string {
  const unpruned = { method: 'all', budget: 'all', kept_tokens: full.visionTokens };
  const lines: CsvLine[] = [
    {
      ...unpruned,
      kind: 'all',
      questions,
      score: full.score,
      ...{ retention: 1, retention_low: 1, retention_high: 1, agreement: 1, lost: 0, won: 0 },
      ...{ agent_ms: 0, select_ms: 0, prefill_ms: full.times.prefillMs },
      ...{ first_token_ms: full.times.firstTokenMs, speedup: 1 },
    },
    ...full.kinds.map((one) => ({ ...unpruned, ...one })),
  ];
  for (const { method, budget, keptTokens, kinds, retention, times, ...row } of rows) {
    const own = { method, budget, kept_tokens: keptTokens };
    lines.push(
      {
        ...own,
        kind: 'all',
        ...{ questions: row.questions, score: row.score, retention: retention?.value },
        ...{ retention_low: retention?.low, retention_high: retention?.high },
        ...{ agreement: row.agreement, lost: row.lost, won: row.won },
        ...{ agent_ms: times.agentMs, select_ms: times.selectMs, prefill_ms: times.prefillMs },
        ...{ first_token_ms: times.firstTokenMs, speedup: row.speedup },
      },
      ...kinds.map((one) => ({ ...own, ...one })),
    );
  }
  const cells = lines.map((line) =>
    Object.fromEntries(CSV_COLUMNS.map((name) => [name, csvCell(line[name])])),
  );
  return `${csvFormat(cells, CSV_COLUMNS)}\n`;
}

/** What may start a formula, in full width too, after blanks and characters that spreadsheets drop. */
const FORMULA = /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠]/u;

/** A cell before quoting: numbers to five digits; text that a spreadsheet would run as a formula starts with `'`. */
export function csvCell(value: string | number | undefined): string {
  if (typeof value === 'number') return String(Math.round(value * 1e5) / 1e5);
  return value !== undefined && FORMULA.test(value) ? `'${value}` : (value ?? '');
}
