// The report as Markdown, for repositories and pull requests.

import { besideThePaper, milliseconds, percent, tokenCount, withInterval } from './format.js';
import { beatenBy, worstKinds } from './losses.js';
import type { Headline, RunSummary, SummaryRow } from './summarize-run.js';

/** The whole report. */
export function toMarkdown(summary: RunSummary): string {
  const { settings, questions, full } = summary;
  const budgets = [...new Set(summary.rows.map(({ budget }) => budget))];
  const kinds = full.kinds.map(({ kind }) => kind);
  const smallest = summary.rows.filter(({ budget }) => budget === budgets.at(-1));
  return [
    `# ${settings.title}: ${settings.model}`,
    `${questions} questions; with all ${tokenCount(full.tokens)} vision tokens the score is ${percent(full.score)} %. ` +
      `Methods on ${settings.backend}, seed ${settings.seed}.`,
    `- Command: \`${settings.command ?? 'runEvaluation()'}\`\n- Machine: ${settings.machine}\n- Begun: ${settings.started}`,
    '## Retention',
    'Score with the kept tokens in percent of the score with all, with 95 % intervals by paired bootstrap.',
    retentionTable(summary, budgets),
    ...headlineTable(summary),
    ...(summary.paper
      ? [
          '## Beside the MMTok paper',
          table(['from', 'method', 'tokens', summary.paper.column], besideThePaper(summary)),
        ]
      : []),
    ...(kinds.length === 0
      ? []
      : budgets.flatMap((budget) => [
          `## Score by kind of question, budget ${budget}`,
          kindTable(
            summary,
            kinds,
            summary.rows.filter((row) => row.budget === budget),
          ),
        ])),
    '## Times',
    'Medians in milliseconds. First token: encoder, method and language model until the first token of the answer; ' +
      'speed-up: that with all tokens over that with these.',
    timeTable(summary),
    '## Where methods lose',
    lossTable(summary),
    ...mmtokLosses(summary),
    ...(smallest.length === 0
      ? []
      : [
          `At ${budgets.at(-1)}, answers as with all tokens, right or wrong: ${smallest.map((row) => `${row.title} ${percent(row.agreement)} %`).join(', ')}.`,
        ]),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

/** The benchmark's own headline, where it is more than a mean of scores. */
function headlineTable({ full, rows }: RunSummary): string[] {
  const { headline } = full;
  if (headline === undefined) return [];
  const cells = (title: string, budget: string, own: Headline | undefined): string[] => [
    title,
    budget,
    own?.value.toFixed(4) ?? '–',
    own?.retention === undefined ? '–' : percent(own.retention),
  ];
  return [
    `## ${headline.name}`,
    table(
      ['method', 'budget', headline.name, 'retention, %'],
      [cells('all tokens', '', headline), ...rows.map((row) => cells(row.title, row.budget, row.headline))],
    ),
  ];
}

/** Methods by budgets. */
export function retentionTable({ rows }: RunSummary, budgets: readonly string[]): string {
  const methods = [...new Map(rows.map(({ method, title }) => [method, title]))];
  const head = ['method', ...budgets.map((budget) => budgetTitle(rows, budget))];
  const lines = methods.map(([method, title]) => [
    title,
    ...budgets.map((budget) =>
      withInterval(rows.find((row) => row.method === method && row.budget === budget)?.retention),
    ),
  ]);
  return table(head, lines);
}

/** `64`, or `10% (25 tokens)` where the budget is no number of tokens. */
function budgetTitle(rows: readonly SummaryRow[], budget: string): string {
  const tokens = rows.find((row) => row.budget === budget)?.tokens ?? 0;
  return tokenCount(tokens) === budget ? budget : `${budget} (${tokenCount(tokens)} tokens)`;
}

function kindTable({ full }: RunSummary, kinds: readonly string[], rows: readonly SummaryRow[]): string {
  const scores = (of: SummaryRow['kinds']): string[] =>
    kinds.map((kind) => {
      const found = of.find((one) => one.kind === kind);
      return found ? percent(found.score) : '–';
    });
  return table(
    ['method', ...kinds, 'all'],
    [
      ['all tokens', ...scores(full.kinds), percent(full.score)],
      ...rows.map((row) => [row.title, ...scores(row.kinds), percent(row.score)]),
    ],
  );
}

function timeTable({ full, rows }: RunSummary): string {
  const { times } = full;
  return table(
    ['method', 'budget', 'tokens', 'select', 'prefill', 'first token', 'speed-up'],
    [
      [
        'all tokens',
        '',
        tokenCount(full.tokens),
        '0',
        milliseconds(times.prefillMs),
        milliseconds(times.firstTokenMs),
        '1.00',
      ],
      ...rows.map((row) => [
        row.title,
        row.budget,
        tokenCount(row.tokens),
        milliseconds(row.times.selectMs),
        milliseconds(row.times.prefillMs),
        milliseconds(row.times.firstTokenMs),
        row.speedup.toFixed(2),
      ]),
    ],
  );
}

function lossTable(summary: RunSummary): string {
  const worst = worstKinds(summary);
  return table(
    ['method', 'budget', 'lost', 'won', 'worst kind', 'points'],
    summary.rows.map((row) => {
      const found = worst.find((one) => one.row === row);
      return [
        row.title,
        row.budget,
        String(row.lost),
        String(row.won),
        found?.kind ?? '–',
        found ? percent(found.change) : '–',
      ];
    }),
  );
}

function mmtokLosses(summary: RunSummary): string[] {
  if (!summary.rows.some(({ method }) => method === 'mmtok')) return [];
  const beaten = beatenBy(summary, 'mmtok');
  if (beaten.length === 0) return ['No other method scores higher than MMTok at any of these budgets.'];
  return [
    'Methods that score higher than MMTok:',
    beaten
      .map(
        ({ budget, own, better }) =>
          `- ${budget} (MMTok ${percent(own.score)}): ${better.map((row) => `${row.title} ${percent(row.score)}`).join(', ')}`,
      )
      .join('\n'),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `| --- |${' ---: |'.repeat(head.length - 1)}`, ...rows.map(line)].join('\n');
}
