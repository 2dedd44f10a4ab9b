// `mmtok demo`: the embedded model answers sample questions with all vision tokens and with a few of them.

import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Budget } from '@mmtok/core';
import type { VisualQuestion } from '@mmtok/tiny-vlm';
import type { Command } from 'commander';
import type { BackendName } from '../engines/create-backend.js';
import { orInputFileError } from '../errors.js';
import { renderOverlay } from '../images/overlay.js';
import { readImage } from '../images/read-image.js';
import { answerBoth, type BothAnswers, medianTimes } from '../models/both-answers.js';
import type { Answer, Vlm } from '../models/vlm.js';
import { backendOption, defaultKeepOption, jsonOption, parseCount, parsed, TINY } from '../options.js';
import { colorsFor, createStatusLine, type Io, print, printJson } from '../terminal/io.js';
import { type Column, formatMs, renderTable, wrapColumns } from '../terminal/text.js';
import { gainInWords } from './answer-report.js';
import type { Context } from './context.js';

const EXAMPLES = `
Examples:
  mmtok demo
  mmtok demo --keep 16 --out overlays
  mmtok demo --json`;

/** The parsed command line of `mmtok demo`. */
interface DemoRequest {
  readonly keep: Budget;
  readonly backend: BackendName;
  /** Folder for the overlays. */
  readonly out: string;
  /** How many questions to ask about each sample image. */
  readonly questions: number;
  readonly json: boolean;
}

/** Adds the command. */
export function addDemo(program: Command, context: Context): void {
  program
    .command('demo')
    .description(
      'let the embedded model answer sample questions with all vision tokens and with a tenth of them',
    )
    .addOption(defaultKeepOption())
    .addOption(backendOption())
    .option('--out <folder>', 'folder for images of the kept tokens', 'mmtok-demo')
    .addOption(
      parsed('--questions <count>', 'maximum number of questions per sample image', parseCount).default(2),
    )
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (request: DemoRequest) => {
      await demo(request, context);
    });
}

/**
 * Runs the demo and prints its table.
 * @throws InputFileError if the folder for the overlays cannot be created.
 */
async function demo(request: DemoRequest, { io, services }: Context): Promise<void> {
  const started = performance.now();
  const { samples } = await import('@mmtok/tiny-vlm');
  const chosen = firstPerImage(await samples(), request.questions);
  const folder = resolve(io.cwd, request.out);
  await orInputFileError(request.out, 'the folder cannot be created', () =>
    mkdir(folder, { recursive: true }),
  );
  const vlm = await services.loadVlm(
    { model: TINY, backend: await services.createBackend(request.backend) },
    io,
  );
  const status = createStatusLine(io.stderr);
  try {
    const trials: Trial[] = [];
    for (const [i, sample] of chosen.entries()) {
      status.show(`Asking ${i + 1} of ${chosen.length}: ${sample.question}`);
      trials.push(await tryOut(vlm, sample, request.keep));
    }
    status.show('Drawing overlays …');
    const overlays = await drawOverlays(trials, folder);
    status.clear();
    const seconds = (performance.now() - started) / 1000;
    if (request.json) printJson(io.stdout, toJson(trials, overlays));
    else printDemo(trials, { overlays, seconds, engine: vlm.backend }, io);
  } finally {
    status.clear();
    await vlm.dispose();
  }
}

function firstPerImage(samples: readonly VisualQuestion[], count: number): VisualQuestion[] {
  return samples.filter((sample, i) => {
    const earlier = samples.slice(0, i).filter(({ image }) => image === sample.image);
    return earlier.length < count;
  });
}

async function tryOut(vlm: Vlm, sample: VisualQuestion, budget: Budget): Promise<Trial> {
  const image = await readImage(sample.image, '/');
  return { sample, ...(await answerBoth(vlm, { images: [image], question: sample.question }, budget)) };
}

/** Writes one overlay per sample image, its questions side by side; returns the paths. */
async function drawOverlays(trials: readonly Trial[], folder: string): Promise<string[]> {
  const images = [...new Set(trials.map(({ sample }) => sample.image))];
  const paths: string[] = [];
  for (const image of images) {
    const own = trials.filter(({ sample }) => sample.image === image);
    const panels = await Promise.all(own.map(({ pruned }) => pruned.overlay()));
    const path = join(folder, `scene-${basename(image)}`);
    await writeFile(path, await renderOverlay(panels.flat()));
    paths.push(path);
  }
  return paths;
}

/** The JSON output. */
function toJson(trials: readonly Trial[], overlays: readonly string[]): object {
  const result = ({ text, keptTokens, timings }: Answer, sample: VisualQuestion): object => ({
    answer: text,
    isRight: isRight(text, sample),
    keptTokens,
    timings,
  });
  return {
    questions: trials.map(({ sample, whole, pruned }) => ({
      image: sample.image,
      question: sample.question,
      expected: sample.answer,
      allTokens: result(whole, sample),
      pruned: result(pruned, sample),
    })),
    overlays,
  };
}

/** A question answered with all tokens and with some. */
export interface Trial extends BothAnswers {
  readonly sample: VisualQuestion;
}

/** Further facts for the report. */
interface DemoFacts {
  /** Paths of the overlays. */
  readonly overlays: readonly string[];
  /** Duration of the whole demo. */
  readonly seconds: number;
  /** What selected the tokens. */
  readonly engine: string;
}

/** Whether an answer is correct. */
function isRight(text: string, { answer }: VisualQuestion): boolean {
  return text.trim().toLowerCase() === answer;
}

/** Descriptions are phrases: they wrap, so that questions keep their width. */
const ANSWER_WIDTH = 14;

const COLUMNS: readonly Column[] = [
  { title: 'question', flexible: true },
  { title: 'all tokens', maxWidth: ANSWER_WIDTH },
  { title: 'pruned', maxWidth: ANSWER_WIDTH },
  { title: 'kept', align: 'right' },
  { title: 'first token', align: 'right' },
  { title: 'prefill', align: 'right' },
];

/** Prints the table, a summary, the paths of the overlays, and next steps. */
function printDemo(trials: readonly Trial[], facts: DemoFacts, { stdout, env, cwd }: Io): void {
  const { overlays, seconds, engine } = facts;
  const runs = Math.min(...trials.map((trial) => trial.runs));
  const width = Math.min(stdout.columns ?? 100, 120);
  const { bold, dim, green, red } = colorsFor(stdout, env);
  const prose = (text: string, style: (line: string) => string): void => {
    for (const line of wrapColumns(text, width)) print(stdout, style(line));
  };
  const plain = (line: string): string => line;

  print(stdout);
  prose('One question, two answers: with all vision tokens, and with the few that MMTok keeps', bold);
  prose(
    `Embedded model, ${trials.length} questions about ${overlays.length} images; tokens selected by ${engine}.`,
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
      `${formatMs(whole.timings.firstTokenMs)} → ${formatMs(pruned.timings.firstTokenMs)}`,
      `${formatMs(whole.timings.prefillMs)} → ${formatMs(pruned.timings.prefillMs)}`,
    ]),
    width,
  );
  print(stdout, bold(titles));
  print(stdout, dim(rule));
  for (const row of rows) print(stdout, row);
  print(stdout);

  prose(`All tokens: ${rightOf(trials, 'whole')}. Pruned: ${rightOf(trials, 'pruned')}.`, bold);
  const before = medianTimes(trials.map(({ whole }) => whole.timings));
  const after = medianTimes(trials.map(({ pruned }) => pruned.timings));
  prose(gainInWords(after, before), plain);
  prose(
    `Prefill alone: ${formatMs(before.prefillMs)} → ${formatMs(after.prefillMs)} ms, ` +
      `${(before.prefillMs / after.prefillMs).toFixed(1)} × as fast.`,
    plain,
  );
  prose(
    `Times in ms: medians of ${runs} interleaved runs. The first token counts from pixels: encoder, selection, and prefill. The model ` +
      'answers all samples correctly with all tokens; its README has its accuracy on 1,800 other questions. ' +
      `The demo took ${seconds.toFixed(1)} s.`,
    dim,
  );
  print(stdout);
  print(stdout, bold('Kept tokens: one overlay per image, its questions from left to right'));
  const images = [...new Set(trials.map(({ sample }) => sample.image))];
  for (const [i, path] of overlays.entries()) {
    const questions = trials
      .filter(({ sample }) => sample.image === images[i])
      .map(({ sample }) => sample.question);
    print(stdout, `  ${relative(cwd, path)}`);
    for (const line of wrapColumns(questions.join(' | '), width - 4)) print(stdout, dim(`    ${line}`));
  }
  print(stdout);
  prose('Ask about your own image with a real model (downloaded once)', bold);
  print(stdout, '  mmtok ask photo.jpg "What is on the table?" --tiles 5 --overlay kept.png \\');
  print(stdout, '    --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct');
  prose(
    'In a clone of the repository, use `node packages/cli/dist/bin.js` instead of `mmtok`. `mmtok ask --help` lists more models; `mmtok ' +
      'doctor` shows what runs on this machine.',
    dim,
  );
}

type Side = 'whole' | 'pruned';

function rightOf(trials: readonly Trial[], side: Side): string {
  const right = trials.filter((trial) => isRight(trial[side].text, trial.sample)).length;
  return `${right} of ${trials.length} correct`;
}
