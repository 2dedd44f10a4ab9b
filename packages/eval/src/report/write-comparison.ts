// The comparison of two runs as a page with a plot, and as Markdown.

import { join } from 'node:path';
import { escapeHtml } from '@mmtok/core/internal';
import { WriteError } from '../runner/run-error.js';
import { explainWriteFailure, makeFolder, writeWhole } from '../runner/write-file.js';
import { type ComparedRow, type RunComparison, verdictOf } from './compare-runs.js';
import { escapeMarkdown } from './escape.js';
import { percent, tokenCount } from './format.js';
import { htmlTable } from './html.js';
import { STYLE } from './style.js';
import type { Table } from './tables.js';

/** `64`, or `64 → 32` where the runs had different budgets; empty for all tokens. */
function budgetOf({ method, budgets: [a, b] }: ComparedRow): string {
  if (method === 'all') return '';
  return a === b ? a : `${a} → ${b}`;
}

/** The label of a row in the plot. */
export function labelOf(row: ComparedRow): string {
  const budget = budgetOf(row);
  return budget === '' ? row.title : `${row.title}, ${budget}`;
}

/** The rows as a table; scores and differences in percent. */
export function comparisonTable({ rows }: RunComparison): Table {
  const signed = (share: number): string => `${share > 0 ? '+' : ''}${percent(share)}`;
  return {
    head: [
      ...['method', 'budget', 'questions', 'tokens, A', 'tokens, B', 'score, A', 'score, B'],
      ...['B − A', '95 % of', 'B higher', 'B lower', 'verdict'],
    ],
    rows: rows.map((row) => [
      row.title,
      budgetOf(row),
      String(row.questions),
      ...row.keptTokens.map((tokens) => tokenCount(tokens)),
      ...row.scores.map(percent),
      signed(row.difference.value),
      `${signed(row.difference.low)} to ${signed(row.difference.high)}`,
      String(row.won),
      String(row.lost),
      verdictOf(row),
    ]),
  };
}

/** What is compared, and what is left out, line by line. */
export function comparisonNotes({ settings, folders, questions, onlyIn, unpaired }: RunComparison): string[] {
  const [a, b] = settings.map(({ model, modelOptions = {}, seed }, at) =>
    [
      `${folders[at]}: ${model}`,
      ...Object.entries(modelOptions).map(([name, value]) => `${name} ${value}`),
      `seed ${seed}`,
    ].join(', '),
  ) as [string, string];
  return [
    `A: ${a}`,
    `B: ${b}`,
    `${questions} questions in both; differences are paired, their intervals by bootstrap over questions`,
    ...(onlyIn[0] + onlyIn[1] > 0
      ? [`left out: ${onlyIn[0]} questions only in A, ${onlyIn[1]} only in B`]
      : []),
    ...(unpaired.length > 0 ? [`left out, as only one of the runs has it: ${unpaired.join(', ')}`] : []),
  ];
}

/** The comparison as Markdown. */
export function comparisonMarkdown(comparison: RunComparison): string {
  const { head, rows } = comparisonTable(comparison);
  const line = (cells: Table['rows'][number]): string =>
    `| ${cells.map((cell) => escapeMarkdown(typeof cell === 'string' ? cell : cell.text)).join(' | ')} |`;
  return [
    `# ${escapeMarkdown(titleOf(comparison))}`,
    '',
    ...comparisonNotes(comparison).map((note) => `- ${escapeMarkdown(note)}`),
    '',
    line(head),
    `| --- |${' ---: |'.repeat(head.length - 1)}`,
    ...rows.map(line),
    '',
  ].join('\n');
}

/**
 * Writes `compare.html` and `compare.md` into a folder, which is made if need be.
 * @returns Their paths.
 * @throws WriteError if a file cannot be written.
 */
export async function writeComparison(comparison: RunComparison, folder: string): Promise<string[]> {
  // The plotting library is large, and only pages need it.
  const { differenceChart } = await import('./charts.js');
  const notes = comparisonNotes(comparison).map((note) => `<li>${escapeHtml(note)}</li>`);
  const title = escapeHtml(titleOf(comparison));
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
<ul>${notes.join('')}</ul>
${differenceChart(comparison.rows.map((row) => ({ label: labelOf(row), ...row.difference })))}
${htmlTable(comparisonTable(comparison))}
</body>
</html>
`;
  const files: readonly (readonly [string, string])[] = [
    ['compare.html', page],
    ['compare.md', comparisonMarkdown(comparison)],
  ];
  return files.map(([name, text]) => {
    const path = join(folder, name);
    try {
      makeFolder(folder);
      writeWhole(path, text);
    } catch (cause) {
      throw new WriteError(`'${path}' cannot be written (${explainWriteFailure(cause)})`, { cause });
    }
    return path;
  });
}

function titleOf({ settings }: RunComparison): string {
  const [a, b] = settings;
  return `${a.title}: ${a.model} and ${b.model}`;
}
