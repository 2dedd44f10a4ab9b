// The report as Markdown, for repositories and pull requests.

import { equalTimeTable } from './equal-time.js';
import { escapeMarkdown, markdownCode } from './escape.js';
import { percent, tokenCount } from './format.js';
import { mmtokLosses } from './losses.js';
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
    ...titled('## A smaller picture in the same time', equalTimeTable(summary)),
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
