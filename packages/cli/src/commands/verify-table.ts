// A verification for the terminal: the checks, the times, the answers.

import type { CheckName, CheckStatus, VerifyReport } from '@mmtok/transformers/verify';
import type { Colors } from '../terminal/colors.js';
import { formatBytes, formatMs, formatShare } from '../terminal/format.js';
import { renderTable } from '../terminal/table.js';
import { wrapColumns } from '../terminal/wrap.js';

/** What the checks are called. */
export const CHECK_TITLES: Readonly<Record<CheckName, string>> = {
  keepAll: 'keeping all tokens changes nothing',
  shortenedPrompt: 'answers as the library would, shortened',
  tap: 'features from before the projector',
  tapOutput: 'encoder unchanged by exposing them',
  text: 'the question drives the selection',
  baselines: 'differs from random and from text alone',
};

const MARKS: Readonly<Record<CheckStatus, string>> = { pass: '✓', warn: '!', fail: '✗', skipped: '–' };

/** A row of the table of times, as texts. */
export function timingCells(report: VerifyReport): { readonly titles: string[]; readonly rows: string[][] } {
  const hasMemory = report.timings.some(({ peakBytes }) => peakBytes !== undefined);
  const titles = [
    'keep',
    'tokens',
    'prompt',
    'image',
    'encode',
    'select',
    'prefill',
    'decode',
    'total ms',
    'speedup',
  ];
  if (hasMemory) titles.push('memory');
  const rows = report.timings
    .toReversed()
    .map((row) => [
      keepInWords(row.keep),
      String(row.keptTokens),
      String(row.promptTokens),
      formatMs(row.processMs),
      formatMs(row.encodeMs),
      formatMs(row.selectMs),
      formatMs(row.prefillMs),
      formatMs(row.decodeMs),
      formatMs(row.totalMs),
      `${row.speedup.toFixed(2)}×`,
      ...(hasMemory ? [row.peakBytes === undefined ? '' : formatBytes(row.peakBytes)] : []),
    ]);
  return { titles, rows };
}

/** A share of vision tokens as people read it. */
export function keepInWords(keep: number): string {
  if (keep === 0) return 'one token';
  return keep >= 1 ? 'all' : formatShare(keep).replace('.0', '');
}

/** The report as lines. */
export function verifyLines(report: VerifyReport, width: number, colors: Colors): string[] {
  const { model, checks, timings, pictures, advice } = report;
  const paint: Readonly<Record<CheckStatus, (text: string) => string>> = {
    pass: colors.green,
    warn: colors.yellow,
    fail: colors.red,
    skipped: colors.dim,
  };
  const lines = [`${colors.bold(model.source)}: ${model.family}, ${sessionsInWords(report)}`, ''];
  for (const { name, status, detail } of checks) {
    lines.push(`${paint[status](MARKS[status])} ${CHECK_TITLES[name]}`);
    for (const line of wrapColumns(detail, width - 4)) lines.push(`    ${colors.dim(line)}`);
  }
  if (timings.length > 0) {
    const { titles, rows } = timingCells(report);
    const columns = titles.map((title, at) => ({ title, align: at === 0 ? 'left' : 'right' }) as const);
    lines.push('', colors.bold(TIMES_TITLE), ...renderTable(columns, rows, width));
  }
  const answers = pictures.flatMap(({ name, answers: own }) =>
    own.map(({ keep, keptTokens, text, sameAsAll }) => [
      keep >= 1 ? name : '',
      keepInWords(keep),
      String(keptTokens),
      text.replaceAll('\n', ' '),
      sameAsAll ? '' : 'changed',
    ]),
  );
  lines.push(
    '',
    colors.bold('Answers'),
    ...renderTable(
      [
        { title: 'picture' },
        { title: 'keep' },
        { title: 'tokens', align: 'right' },
        { title: 'answer', flexible: true },
        { title: '' },
      ],
      answers,
      width,
    ),
    '',
  );
  for (const one of advice) lines.push(...wrapColumns(one, width));
  const hasDoubts = checks.some(({ status }) => status === 'warn');
  const verdict = hasDoubts
    ? 'No check failed; see what is marked with !.'
    : 'Pruning is right on this model.';
  lines.push('', report.passed ? colors.green(verdict) : colors.red('A check failed.'));
  return lines;
}

/** The title of the table of times. */
export const TIMES_TITLE = 'Times from pixels to the end of the answer, in ms';

/** Precision and device of the sessions, each once. */
export function sessionsInWords({ model: { sessions, library } }: VerifyReport): string {
  const kinds = Object.values(sessions).map(({ dtype, device }) =>
    [dtype, device].filter(Boolean).join(' on '),
  );
  const used = [...new Set(kinds)].filter((kind) => kind !== '');
  return [used.join(', '), library].filter((part) => part !== '').join('; ');
}
