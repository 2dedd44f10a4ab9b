// `mmtok demo`: the embedded model answers sample questions with all its vision tokens and with a few of them.

import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Budget } from '@mmtok/core';
import type { VisualQuestion } from '@mmtok/tiny-vlm';
import type { BackendName } from '../engines/create-backend.js';
import { InputFileError } from '../errors.js';
import { renderOverlay } from '../images/overlay.js';
import type { Picture } from '../images/picture.js';
import { readPicture } from '../images/picture.js';
import { TINY } from '../models/load.js';
import type { Answer, Request, Vlm } from '../models/vlm.js';
import type { OverlayPanel } from '../overlay/overlay.js';
import { printJson } from '../terminal/io.js';
import { createStatusLine } from '../terminal/status-line.js';
import { overlayPanels } from './answer-report.js';
import type { Context } from './context.js';
import { isRight, printDemo, type Trial } from './demo-report.js';

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
    if (request.json) printJson(io.stdout, toJson(trials, overlays));
    else printDemo(trials, { overlays, seconds, runs: RUNS, engine: vlm.backend }, io);
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
          { text: pruned.text, style: isRight(pruned.text, sample) ? 'good' : 'bad' },
        ]),
      );
    const path = join(folder, `scene-${basename(image)}`);
    await writeFile(path, await renderOverlay(panels));
    paths.push(path);
  }
  return paths;
}

/** The results as programs read them. */
function toJson(trials: readonly Trial[], overlays: readonly string[]): object {
  const told = ({ text, keptTokens, timings }: Answer, sample: VisualQuestion): object => ({
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
      allTokens: told(whole, sample),
      pruned: told(pruned, sample),
    })),
    overlays,
  };
}
