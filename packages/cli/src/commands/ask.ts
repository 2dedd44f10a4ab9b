// `mmtok ask`: one question about one or more pictures, answered with pruned vision tokens.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Budget, visionCoverage } from '@mmtok/core';
import type { BackendName } from '../engines/create-backend.js';
import { InputFileError } from '../errors.js';
import { renderOverlay } from '../images/overlay.js';
import { readPicture } from '../images/picture.js';
import type { Answer } from '../models/vlm.js';
import { colorsFor, type Io, print, printJson } from '../terminal/io.js';
import { createStatusLine } from '../terminal/status-line.js';
import { renderTable } from '../terminal/table.js';
import { safeText } from '../terminal/text.js';
import {
  agentInWords,
  comparisonRows,
  coverageInWords,
  gainInWords,
  keptInWords,
  phasesInWords,
} from './answer-report.js';
import type { Context } from './context.js';

/** What `mmtok ask` was asked for. */
export interface AskRequest {
  /** Paths or URLs. */
  readonly images: readonly string[];
  readonly question: string;
  readonly model: string;
  readonly budget: Budget;
  readonly backend: BackendName;
  readonly device?: string;
  readonly dtype?: string | Readonly<Record<string, string>>;
  readonly promptTemplate?: string;
  /** A model that answers first: `tiny-small`, `tiny`, a hub id or a folder. */
  readonly agent?: string;
  /** Vision coverage alone, whose targets count by their relevance to the question; see `visionCoverage`. */
  readonly focus?: number | 'auto';
  readonly maxNewTokens?: number;
  /** Where to write the picture of the kept tokens. */
  readonly overlay?: string;
  /** Whether to answer with all tokens as well. */
  readonly compare: boolean;
  readonly json: boolean;
}

/**
 * Answers and prints what it took.
 * @throws InputFileError, UsageError, ModelLoadError, AgentLoadError, UnsupportedModelError, InvalidBudgetError, InvalidOptionsError, BackendUnavailableError
 */
export async function ask(request: AskRequest, { io, services }: Context): Promise<void> {
  const { images, question, model, budget, device, focus, json } = request;
  const coverage = focus === undefined ? undefined : [visionCoverage({ focus })];
  const pictures = await Promise.all(images.map((image) => readPicture(image, io.cwd)));
  const backend = await services.createBackend(
    request.backend,
    request.backend === 'ort' ? device : undefined,
  );
  const agent =
    request.agent === undefined
      ? undefined
      : await services.loadAgent(
          {
            model: request.agent,
            ...(device !== undefined && { device }),
            ...(request.dtype !== undefined && { dtype: request.dtype }),
          },
          io,
        );
  const vlm = await services.loadVlm(
    {
      model,
      backend,
      ...(device !== undefined && { device }),
      ...(request.dtype !== undefined && { dtype: request.dtype }),
      ...(request.promptTemplate !== undefined && { promptTemplate: request.promptTemplate }),
      ...(agent && { agent }),
      ...(coverage && { coverage }),
    },
    io,
  );
  const status = createStatusLine(io.stderr);
  try {
    const asked = {
      pictures,
      question,
      ...(request.maxNewTokens !== undefined && { maxNewTokens: request.maxNewTokens }),
    };
    // A person sees the answer grow; a program gets it whole.
    const isLive = io.stdout.isTTY === true && !json && !request.compare;
    const onText = (text: string): void => {
      status.clear();
      io.stdout.write(safeText(text));
    };
    status.show('Thinking …');
    const pruned = await vlm.ask({ ...asked, budget, ...(isLive && { onText }) });
    const whole = request.compare ? await vlm.ask({ ...asked, budget: 'all' }) : undefined;
    status.clear();
    let failure: unknown;
    const overlay = await writeOverlay(request, pruned, io).catch((error: unknown) => {
      // The answer is there and took its time: it is printed first.
      failure = error;
      return undefined;
    });
    if (json) printJson(io.stdout, toJson(request, vlm.backend, pruned, whole, overlay));
    else {
      if (isLive) print(io.stdout);
      else print(io.stdout, pruned.text);
      print(io.stdout);
      printDetails(pruned, whole, { engine: vlm.backend, model: vlm.name, overlay }, io);
    }
    if (failure !== undefined) throw failure;
  } finally {
    status.clear();
    await vlm.dispose();
    await agent?.dispose();
  }
}

/** Draws the kept tokens if that was asked for; returns where, or undefined. */
async function writeOverlay(
  { overlay }: AskRequest,
  answer: Answer,
  { cwd, stderr }: Io,
): Promise<string | undefined> {
  if (overlay === undefined) return undefined;
  const panels = await answer.overlay();
  if (panels.length === 0) {
    print(
      stderr,
      'note: no overlay was written, for the vision tokens of this model form no grid on the picture',
    );
    return undefined;
  }
  const path = resolve(cwd, overlay);
  await writeFile(path, await renderOverlay(panels)).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputFileError(overlay, `it cannot be written (${reason})`, { cause });
  });
  return path;
}

interface Circumstances {
  readonly engine: string;
  readonly model: string;
  readonly overlay: string | undefined;
}

function printDetails(
  pruned: Answer,
  whole: Answer | undefined,
  { engine, model, overlay }: Circumstances,
  { stdout, env }: Io,
): void {
  const colors = colorsFor(stdout, env);
  const field = (name: string, value: string): void => {
    if (value !== '') print(stdout, `${colors.dim(name.padEnd(8))}  ${value}`);
  };
  if (pruned.agent !== undefined) field('agent', agentInWords(pruned.agent));
  field('tokens', `${keptInWords(pruned)} vision tokens kept`);
  field('coverage', coverageInWords(pruned.pictures));
  field('time', phasesInWords(pruned.timings));
  field('model', `${model}, tokens selected by ${engine}`);
  if (overlay !== undefined) field('overlay', overlay);
  for (const note of pruned.notes) field('note', note);
  if (whole === undefined) return;
  print(stdout);
  const isSame = whole.text === pruned.text;
  field('all', `${whole.text}${isSame ? colors.green('  (the same answer)') : ''}`);
  print(stdout);
  const columns = [
    { title: '' },
    { title: 'all tokens', align: 'right' },
    { title: 'pruned', align: 'right' },
    { title: '×', align: 'right' },
  ] as const;
  for (const line of renderTable(columns, comparisonRows(pruned, whole), stdout.columns ?? 100)) {
    print(stdout, line);
  }
  print(stdout);
  print(stdout, gainInWords(pruned, whole));
}

/** The answer as programs read it; part of the command's contract. */
function toJson(
  { question, images, model }: AskRequest,
  backend: string,
  pruned: Answer,
  whole: Answer | undefined,
  overlay: string | undefined,
): object {
  return {
    answer: pruned.text,
    question,
    model,
    backend,
    visionTokens: pruned.visionTokens,
    keptTokens: pruned.keptTokens,
    images: pruned.pictures.map(({ visionTokens, indices, coverage }, i) => ({
      image: images[i],
      visionTokens,
      indices,
      coverage,
    })),
    timings: pruned.timings,
    ...(pruned.agent && { agent: pruned.agent }),
    notes: pruned.notes,
    ...(overlay !== undefined && { overlay }),
    ...(whole && { allTokens: { answer: whole.text, timings: whole.timings } }),
  };
}
