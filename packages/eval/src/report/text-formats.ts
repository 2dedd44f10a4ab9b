// The report as Markdown and as CSV.

import { type RunSummary, skippedInWords } from './summarize-run.js';
import {
  budgetsOf,
  headlineTable,
  kindTable,
  lossTable,
  methodTable,
  mmtokLosses,
  paperTable,
  percent,
  retentionTable,
  type Table,
  timeTable,
  tokenCount,
} from './tables.js';

// Texts of questions, answers and method titles come from files and models. Each place they are written to gives some
// characters a meaning; here these lose it.

/** Text as one line of Markdown, in a heading, a list or the cell of a table: no markup, no HTML, no line break. */
export function escapeMarkdown(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_[\]|~]/g, '\\$&')
    .replace(/^(\s*)([#+-]|\d+[.)])(?=\s)/, '$1\\$2');
}

/** Text as a code span of Markdown: its fence is longer than any run of backticks in it. */
export function markdownCode(text: string): string {
  const line = oneLine(text).replaceAll('|', '\\|');
  const longest = (line.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = '`'.repeat(longest + 1);
  const space = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return fence + space + line + space + fence;
}

/** A cell of a CSV file. A spreadsheet would run a text that begins like a formula, so that one begins with `'`. */
export function csvCell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(Math.round(value * 1e5) / 1e5);
  const text = /^[\s]*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function oneLine(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .join(' ')
    .trim();
}

// The report's numbers as comma-separated values, one line per method, budget and kind of question.

const COLUMNS = [
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

/** A table with a header; the line of all questions together has the kind `all`. */
export function toCsv({ full, rows, questions }: RunSummary): string {
  const lines: (string | number | undefined)[][] = [
    [
      'all',
      'all',
      'all',
      questions,
      full.visionTokens,
      full.score,
      1,
      1,
      1,
      1,
      0,
      0,
      0,
      0,
      full.times.prefillMs,
      full.times.firstTokenMs,
      1,
    ],
    ...full.kinds.map((one) => [
      'all',
      'all',
      one.kind,
      one.questions,
      full.visionTokens,
      one.score,
      one.retention,
    ]),
  ];
  for (const row of rows) {
    const { method, budget, keptTokens: tokens, retention, times } = row;
    lines.push(
      [
        ...[
          method,
          budget,
          'all',
          row.questions,
          tokens,
          row.score,
          retention?.value,
          retention?.low,
          retention?.high,
        ],
        ...[
          row.agreement,
          row.lost,
          row.won,
          times.agentMs,
          times.selectMs,
          times.prefillMs,
          times.firstTokenMs,
          row.speedup,
        ],
      ],
      ...row.kinds.map((one) => [method, budget, one.kind, one.questions, tokens, one.score, one.retention]),
    );
  }
  return [COLUMNS, ...lines]
    .map((line) => `${COLUMNS.map((_, at) => csvCell(line[at])).join(',')}\n`)
    .join('');
}

// The report as Markdown, for repositories and pull requests.

/** The whole report. */
export function toMarkdown(summary: RunSummary): string {
  const { settings, questions, full } = summary;
  const losses = mmtokLosses(summary);
  const parts = [
    `# ${escapeMarkdown(`${settings.title}: ${settings.model}`)}`,
    `${questions} questions; with all ${tokenCount(full.visionTokens)} vision tokens the score is ${percent(full.score)} %. ` +
      `Methods on ${escapeMarkdown(settings.backend)}, seed ${settings.seed}.`,
    [
      `- Command: ${markdownCode(settings.command ?? 'runEvaluation()')}`,
      `- Machine: ${escapeMarkdown(settings.machine)}`,
      `- Begun: ${escapeMarkdown(settings.started)}`,
      ...(settings.agent === undefined ? [] : [`- Agent: ${escapeMarkdown(settings.agent)}`]),
    ].join('\n'),
    ...skippedAsList(skippedInWords(summary)),
    '## Retention',
    'Score with the kept tokens in percent of the score with all, with 95 % intervals by paired bootstrap.',
    toText(retentionTable(summary)),
    ...titled(`## ${escapeMarkdown(full.headline?.name ?? '')}`, headlineTable(summary)),
    ...titled('## Beside the MMTok paper', paperTable(summary)),
    ...budgetsOf(summary).flatMap((budget) =>
      titled(`## Score by kind of question, budget ${escapeMarkdown(budget)}`, kindTable(summary, budget)),
    ),
    '## Times',
    'Medians in milliseconds. First token: encoder, agent, method and language model until the first token of the answer; ' +
      'speed-up: that with all tokens over that with these.',
    toText(timeTable(summary)),
    '## Where methods lose',
    toText(lossTable(summary)),
    ...(losses === undefined ? [] : [escapeMarkdown(losses.lead)]),
    ...(losses && losses.items.length > 0
      ? [losses.items.map((item) => `- ${escapeMarkdown(item)}`).join('\n')]
      : []),
    '## Methods',
    toText(methodTable(summary)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function titled(title: string, table: Table | undefined): string[] {
  return table === undefined ? [] : [title, toText(table)];
}

function toText({ head, rows }: Table): string {
  const text = (cell: Table['rows'][number][number]): string =>
    escapeMarkdown(typeof cell === 'string' ? cell : cell.text);
  const line = (cells: Table['rows'][number]): string => `| ${cells.map(text).join(' | ')} |`;
  return [line(head), `| --- |${' ---: |'.repeat(head.length - 1)}`, ...rows.map(line)].join('\n');
}

function skippedAsList([lead, ...items]: readonly string[]): string[] {
  return lead === undefined ? [] : [lead, items.map((item) => `- ${escapeMarkdown(item)}`).join('\n')];
}
