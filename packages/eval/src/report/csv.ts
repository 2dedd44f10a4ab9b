// The report's numbers as comma-separated values, one line per method, budget and kind of question.

import { csvCell } from './escape.js';
import type { RunSummary } from './summarize-run.js';

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
