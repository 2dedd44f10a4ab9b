// How an evaluation is told in a terminal.

import type { RunSummary } from '@mmtok/eval';
import { colorsFor } from '../../terminal/colors.js';
import { formatMs } from '../../terminal/format.js';
import { type Io, print } from '../../terminal/io.js';
import { type Column, renderTable } from '../../terminal/table.js';

const columnsOf = (hasAgent: boolean): readonly Column[] => [
  { title: 'method' },
  ...[
    'budget',
    'tokens',
    'score',
    'retention',
    '95 % of',
    ...(hasAgent ? ['agent'] : []),
    'select',
    'first token',
  ].map((title) => ({ title, align: 'right' }) as const),
];

/** Prints the table of a run. */
export function printEvaluation(summary: RunSummary, { stdout, env }: Io): void {
  const colors = colorsFor(stdout, env);
  const { settings, full, rows, questions } = summary;
  const hasAgent = rows.some(({ times }) => times.agentMs > 0);
  const inMs = (ms: number): string => `${formatMs(ms)} ms`;
  const percent = (share: number): string => (share * 100).toFixed(1);
  print(
    stdout,
    `${colors.bold(settings.title)}: ${questions} questions, model ${settings.model}, methods on ${settings.backend}`,
  );
  const lines = [
    [
      'all tokens',
      '',
      full.visionTokens.toFixed(0),
      percent(full.score),
      '100',
      '',
      '',
      ...(hasAgent ? [''] : []),
      inMs(full.times.firstTokenMs),
    ],
    ...rows.map(
      ({ method, title, questions: answered, budget, keptTokens: tokens, score, retention, times }) => [
        (answered < questions ? `${method} (${answered} of ${questions} questions)` : method) +
          (title.endsWith('(nothing pruned)') ? ' (nothing pruned)' : ''),
        budget,
        tokens.toFixed(tokens % 1 === 0 ? 0 : 1),
        percent(score),
        retention ? percent(retention.value) : '–',
        retention ? `${percent(retention.low)}–${percent(retention.high)}` : '',
        ...(hasAgent ? [inMs(times.agentMs)] : []),
        inMs(times.selectMs),
        inMs(times.firstTokenMs),
      ],
    ),
  ];
  for (const line of renderTable(columnsOf(hasAgent), lines, stdout.columns ?? 100)) print(stdout, line);
  print(stdout);
  print(
    stdout,
    colors.dim(
      `Scores and retention in percent, intervals by paired bootstrap, times as medians on ${settings.machine}.`,
    ),
  );
}
