// What `mmtok demo` prints for people.

import { relative } from 'node:path';
import type { VisualQuestion } from '@mmtok/tiny-vlm';
import type { Answer } from '../models/vlm.js';
import { colorsFor } from '../terminal/colors.js';
import { formatMs } from '../terminal/format.js';
import { type Io, print } from '../terminal/io.js';
import { type Column, renderTable } from '../terminal/table.js';
import { wrapColumns } from '../terminal/wrap.js';

/** A question, answered with all tokens and with some. */
export interface Trial {
  readonly sample: VisualQuestion;
  readonly whole: Answer;
  readonly pruned: Answer;
}

/** What else there is to tell. */
export interface DemoFacts {
  /** Paths of the pictures of kept tokens. */
  readonly overlays: readonly string[];
  /** How long the whole demonstration took. */
  readonly seconds: number;
  /** Of how many runs each time is the median. */
  readonly runs: number;
  /** What selected the tokens. */
  readonly engine: string;
}

/** Whether an answer is the expected one. */
export function isRight(text: string, { answer }: VisualQuestion): boolean {
  return text.trim().toLowerCase() === answer;
}

/** Descriptions are phrases: they take several lines rather than the width of the questions. */
const ANSWER_WIDTH = 14;

const COLUMNS: readonly Column[] = [
  { title: 'question', flexible: true },
  { title: 'all tokens', maxWidth: ANSWER_WIDTH },
  { title: 'pruned', maxWidth: ANSWER_WIDTH },
  { title: 'kept', align: 'right' },
  { title: 'prefill', align: 'right' },
  { title: 'total', align: 'right' },
];

/** Prints the table, what it comes to, where the pictures are and what to do next. */
export function printDemo(trials: readonly Trial[], facts: DemoFacts, { stdout, env, cwd }: Io): void {
  const { overlays, seconds, runs, engine } = facts;
  const width = Math.min(stdout.columns ?? 100, 120);
  const { bold, dim, green, red } = colorsFor(stdout, env);
  const prose = (text: string, style: (line: string) => string): void => {
    for (const line of wrapColumns(text, width)) print(stdout, style(line));
  };
  const plain = (line: string): string => line;

  print(stdout);
  prose('One question, two answers: from all vision tokens, and from the few that MMTok keeps', bold);
  prose(
    `The embedded model, ${trials.length} questions about ${overlays.length} pictures; tokens selected by ${engine}.`,
    dim,
  );
  print(stdout);
  const marked = ({ text }: Answer, sample: VisualQuestion): string =>
    isRight(text, sample) ? `${text} ${green('✓')}` : `${text} ${red('✗')} (${sample.answer})`;
  const [titles = '', rule = '', ...rows] = renderTable(
    COLUMNS,
    trials.map(({ sample, whole, pruned }) => [
      sample.question,
      marked(whole, sample),
      marked(pruned, sample),
      `${pruned.keptTokens}/${pruned.visionTokens}`,
      `${formatMs(whole.timings.prefillMs)} → ${formatMs(pruned.timings.prefillMs)}`,
      `${formatMs(whole.timings.totalMs)} → ${formatMs(pruned.timings.totalMs)}`,
    ]),
    width,
  );
  print(stdout, bold(titles));
  print(stdout, dim(rule));
  for (const row of rows) print(stdout, row);
  print(stdout);

  prose(`All tokens: ${rightOf(trials, 'whole')}. Pruned: ${rightOf(trials, 'pruned')}.`, bold);
  const [before, after] = [medianPrefill(trials, 'whole'), medianPrefill(trials, 'pruned')];
  prose(
    `The language model reads the prompt in ${formatMs(after)} ms instead of ${formatMs(before)} ms (prefill, median): ${(before / after).toFixed(1)} times as fast.`,
    plain,
  );
  prose(
    `Times in ms, each the median of ${runs} runs in turns; total is the whole answer. The samples were picked because the model ` +
      'answers them with all its tokens; its README has its accuracy on 1,800 others. ' +
      `All this took ${seconds.toFixed(1)} s.`,
    dim,
  );
  print(stdout);
  print(stdout, bold('Which tokens were kept'));
  for (const path of overlays) print(stdout, `  ${relative(cwd, path)}`);
  print(stdout);
  prose('Ask about a picture of your own, with a real model (downloaded once)', bold);
  print(stdout, '  mmtok ask photo.jpg "What is on the table?" --overlay kept.png \\');
  print(stdout, '    --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct');
  prose(
    'In a clone of the repository write `node packages/cli/dist/bin.js` for `mmtok`. `mmtok ask --help` names more models, `mmtok doctor` tells what runs on this machine.',
    dim,
  );
}

type Side = Exclude<keyof Trial, 'sample'>;

function rightOf(trials: readonly Trial[], side: Side): string {
  const right = trials.filter((trial) => isRight(trial[side].text, trial.sample)).length;
  return `${right} of ${trials.length} right`;
}

function medianPrefill(trials: readonly Trial[], side: Side): number {
  const sorted = trials.map((trial) => trial[side].timings.prefillMs).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
