// `mmtok demo`: the embedded model answers sample questions with all its vision tokens and with a few of them.

import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Budget } from '@mmtok/core';
import type { VisualQuestion } from '@mmtok/tiny-vlm';
import type { BackendName } from '../backends/create-backend.js';
import { InputFileError } from '../errors/input-file-error.js';
import type { Picture } from '../images/picture.js';
import { readPicture } from '../images/read-picture.js';
import { type Io, print } from '../io.js';
import { TINY } from '../models/load-vlm.js';
import type { Answer, Request, Vlm } from '../models/vlm.js';
import type { OverlayPanel } from '../overlay/overlay.js';
import { renderOverlay } from '../overlay/render-overlay.js';
import { colorsFor } from '../terminal/colors.js';
import { formatMs } from '../terminal/format.js';
import { createStatusLine } from '../terminal/status-line.js';
import { type Column, renderTable } from '../terminal/table.js';
import { overlayPanels } from './answer-report.js';
import type { Context } from './context.js';

/** What `mmtok demo` was asked for. */
export interface DemoRequest {
  readonly budget: Budget;
  readonly backend: BackendName;
  /** Folder for the overlay pictures. */
  readonly out: string;
  /** How many questions to ask about each sample picture. */
  readonly questions: number;
  readonly json: boolean;
}

/** A question, answered with all tokens and with some. */
interface Trial {
  readonly sample: VisualQuestion;
  readonly whole: Answer;
  readonly pruned: Answer;
}

/** Each time is the median of this many runs. */
const RUNS = 3;

/**
 * Runs the demonstration and prints its table.
 * @throws InputFileError if the folder for the overlays cannot be made.
 */
export async function demo(request: DemoRequest, { io, services }: Context): Promise<void> {
  const started = performance.now();
  const { samples } = await import('@mmtok/tiny-vlm');
  const chosen = firstPerImage(await samples(), request.questions);
  const folder = resolve(io.cwd, request.out);
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputFileError(request.out, `it cannot be made a folder (${reason})`, { cause });
  });
  const vlm = await services.loadVlm(
    { model: TINY, backend: await services.createBackend(request.backend) },
    io,
  );
  const status = createStatusLine(io.stderr);
  try {
    const trials: Trial[] = [];
    for (const [i, sample] of chosen.entries()) {
      status.show(`Asking ${i + 1} of ${chosen.length}: ${sample.question}`);
      trials.push(await tryOut(vlm, sample, request.budget));
    }
    status.show('Drawing overlays …');
    const overlays = await drawOverlays(trials, folder);
    status.clear();
    const seconds = (performance.now() - started) / 1000;
    if (request.json) print(io.stdout, JSON.stringify(toJson(trials, overlays)));
    else printReport(trials, overlays, seconds, vlm.backend, io);
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
  const pictures: readonly Picture[] = [await readPicture(sample.image, '/')];
  const request = { pictures, question: sample.question };
  const whole: Answer[] = [];
  const pruned: Answer[] = [];
  // In turns, so that whatever else the machine does meanwhile slows both alike.
  for (let run = 0; run < RUNS; run++) {
    whole.push(await vlm.ask({ ...request, budget: 'all' } satisfies Request));
    pruned.push(await vlm.ask({ ...request, budget } satisfies Request));
  }
  return { sample, whole: withMedianTimes(whole), pruned: withMedianTimes(pruned) };
}

/** The answer, which is the same in all runs, with the median of each time. */
function withMedianTimes(runs: readonly Answer[]): Answer {
  const [first] = runs as readonly [Answer];
  const timings = { ...first.timings };
  for (const phase of Object.keys(timings) as (keyof typeof timings)[]) {
    const sorted = runs.map((run) => run.timings[phase]).sort((a, b) => a - b);
    timings[phase] = sorted[Math.floor(sorted.length / 2)] as number;
  }
  return { ...first, timings };
}

const isRight = (answer: Answer, { answer: expected }: VisualQuestion): boolean =>
  answer.text.toLowerCase() === expected;

/** Draws one picture per sample image, its questions side by side; returns the paths. */
async function drawOverlays(trials: readonly Trial[], folder: string): Promise<string[]> {
  const images = [...new Set(trials.map(({ sample }) => sample.image))];
  const paths: string[] = [];
  for (const image of images) {
    const panels = trials
      .filter(({ sample }) => sample.image === image)
      .flatMap(({ sample, pruned }): OverlayPanel[] =>
        overlayPanels(pruned, [
          { text: sample.question, style: 'question' },
          { text: pruned.text, style: isRight(pruned, sample) ? 'good' : 'bad' },
        ]),
      );
    const path = join(folder, `scene-${basename(image)}`);
    await writeFile(path, await renderOverlay(panels));
    paths.push(path);
  }
  return paths;
}

function printReport(
  trials: readonly Trial[],
  overlays: readonly string[],
  seconds: number,
  engine: string,
  { stdout, env, cwd }: Io,
): void {
  const colors = colorsFor(stdout, env);
  const width = Math.min(stdout.columns ?? 100, 120);
  const mark = (answer: Answer, sample: VisualQuestion): string =>
    isRight(answer, sample) ? `${answer.text} ${colors.green('✓')}` : `${answer.text} ${colors.red('✗')}`;
  const change = (from: number, to: number): string => `${formatMs(from)} → ${formatMs(to)}`;
  const columns: Column[] = [
    { title: 'question', flexible: true },
    { title: 'expected' },
    { title: 'all tokens' },
    { title: 'pruned' },
    { title: 'kept', align: 'right' },
    { title: 'prefill', align: 'right' },
    { title: 'total', align: 'right' },
  ];
  const rows = trials.map(({ sample, whole, pruned }) => [
    sample.question,
    sample.answer,
    mark(whole, sample),
    mark(pruned, sample),
    `${pruned.tokensKept}/${pruned.tokensBefore}`,
    change(whole.timings.prefillMs, pruned.timings.prefillMs),
    change(whole.timings.totalMs, pruned.timings.totalMs),
  ]);
  print(stdout);
  print(
    stdout,
    colors.bold('One question, two answers: from all vision tokens, and from the few that MMTok kept'),
  );
  print(
    stdout,
    colors.dim(
      `The embedded model, ${trials.length} questions about ${overlays.length} pictures; tokens selected by ${engine}.`,
    ),
  );
  print(stdout);
  const [titles = '', rule = '', ...body] = renderTable(columns, rows, width);
  print(stdout, colors.bold(titles));
  print(stdout, colors.dim(rule));
  for (const line of body) print(stdout, line);
  print(stdout);
  printSummary(trials, seconds, { stdout, colors });

  print(stdout);
  print(stdout, colors.bold('Which tokens were kept'));
  for (const path of overlays) print(stdout, `  ${relative(cwd, path) || path}`);
  print(stdout);
  print(stdout, colors.bold('Ask about a picture of your own, with a real model (downloaded once)'));
  print(stdout, '  mmtok ask photo.jpg "What is on the table?" --keep 10% --overlay kept.png \\');
  print(stdout, '    --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct');
  print(
    stdout,
    colors.dim('  From a clone of the repository: node packages/cli/dist/bin.js in place of mmtok.'),
  );
  print(stdout, colors.dim('  More models: mmtok ask --help. What runs on this machine: mmtok doctor.'));
}

function printSummary(
  trials: readonly Trial[],
  seconds: number,
  { stdout, colors }: { readonly stdout: Io['stdout']; readonly colors: ReturnType<typeof colorsFor> },
): void {
  const right = (key: 'whole' | 'pruned'): string =>
    `${trials.filter((trial) => isRight(trial[key], trial.sample)).length} of ${trials.length} right`;
  const median = (key: 'whole' | 'pruned'): number => {
    const sorted = trials.map((trial) => trial[key].timings.prefillMs).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] as number;
  };
  const [all, few] = [median('whole'), median('pruned')];
  print(stdout, `All tokens: ${right('whole')}. Pruned: ${right('pruned')}.`);
  print(
    stdout,
    `Prefill of the language model: ${formatMs(all)} ms → ${formatMs(few)} ms in the median, ${colors.bold(`${(all / few).toFixed(1)} times`)} faster.`,
  );
  print(
    stdout,
    colors.dim(
      `Times in ms, medians of ${RUNS} runs in turns. The whole demonstration took ${seconds.toFixed(1)} s.`,
    ),
  );
}

/** The results as programs read them. */
function toJson(trials: readonly Trial[], overlays: readonly string[]): object {
  const told = ({ text, tokensKept, timings }: Answer, sample: VisualQuestion): object => ({
    answer: text,
    isRight: text.toLowerCase() === sample.answer,
    tokensKept,
    timings,
  });
  return {
    questions: trials.map(({ sample, whole, pruned }) => ({
      image: sample.image,
      question: sample.question,
      expected: sample.answer,
      allTokens: told(whole, sample),
      pruned: told(pruned, sample),
    })),
    overlays,
  };
}
