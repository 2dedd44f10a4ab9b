// `mmtok ask`: answers a question about one or more images with pruned vision tokens.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DEFAULT_AGENT_MODEL } from '@mmtok/agent';
import { type Budget, visionCoverage } from '@mmtok/core';
import type { TileBudget } from '@mmtok/transformers';
import { type Command, Option } from 'commander';
import type { BackendName } from '../engines/create-backend.js';
import { orInputFileError, UsageError } from '../errors.js';
import { renderOverlay } from '../images/overlay.js';
import { readImage } from '../images/read-image.js';
import { answerBoth, type BothAnswers } from '../models/both-answers.js';
import type { Answer, VlmOptions } from '../models/vlm.js';
import {
  backendOption,
  defaultKeepOption,
  deviceOption,
  dtypeOption,
  EMBEDDED_NAMES,
  focusOption,
  jsonOption,
  maxNewTokensOption,
  modelName,
  modelOption,
  promptOption,
  TINY_SMALL,
  TINY_TILED,
  tilesOption,
} from '../options.js';
import { colorsFor, createStatusLine, type Io, print, printJson } from '../terminal/io.js';
import { renderTable, safeText } from '../terminal/text.js';
import {
  agentInWords,
  comparisonRows,
  coverageInWords,
  gainInWords,
  keptInWords,
  phasesInWords,
} from './answer-report.js';
import type { Context } from './context.js';

const EXAMPLES = `
The question is the last argument; everything before it is an image (a path or a URL).
The embedded models ${EMBEDDED_NAMES} only know drawn shapes; ${TINY_TILED} also reads signs. Others are downloaded once, e.g.
  HuggingFaceTB/SmolVLM2-256M-Video-Instruct, llava-hf/llava-interleave-qwen-0.5b-hf, onnx-community/Qwen2-VL-2B-Instruct

Examples:
  mmtok ask node_modules/@mmtok/tiny-vlm/samples/0.png "What shape is the purple object?"
  mmtok ask photo.jpg "What is on the table?" --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct --dtype q4 --tiles 5 --overlay kept.png
  mmtok ask before.jpg after.jpg "What changed?" --keep 64 --model ./my-model --json
  mmtok ask photo.jpg "Read the sign." --keep c0.95 --compare --device webgpu
  mmtok ask scene.png "What color is the background?" --keep 8 --agent ${TINY_SMALL}
  mmtok ask scene.png "How many red circles are there?" --keep 8 --focus 3
  mmtok ask scan.png "What is the total?" --model HuggingFaceTB/SmolVLM-256M-Instruct --tiles worth,max=9`;

/** The parsed command line of `mmtok ask`. */
interface AskRequest extends AskOptions {
  /** Paths or URLs. */
  readonly images: readonly string[];
  readonly question: string;
}

interface AskOptions {
  readonly model: string;
  readonly keep: Budget;
  readonly backend: BackendName;
  readonly device?: string | undefined;
  readonly dtype?: VlmOptions['dtype'];
  readonly prompt?: string | undefined;
  /** A model that answers first: an embedded one, a hub id, or a folder. */
  readonly agent?: string | undefined;
  /** Vision coverage alone, weighted by relevance to the question; see `visionCoverage`. */
  readonly focus?: number | 'auto' | undefined;
  /** Which tiles to encode, including the overview. */
  readonly tiles?: TileBudget | undefined;
  readonly maxNewTokens?: number | undefined;
  /** Where to write the overlay. */
  readonly overlay?: string | undefined;
  /** Whether to answer with all tokens as well. */
  readonly compare: boolean;
  readonly json: boolean;
}

/** Adds the command. */
export function addAsk(program: Command, context: Context): void {
  program
    .command('ask')
    .description('answer a question about one or more images with pruned vision tokens')
    .usage('<image...> "<question>" [options]')
    .argument('<image-and-question...>', 'images (paths or URLs), then the question')
    .addOption(modelOption())
    .addOption(defaultKeepOption())
    .addOption(backendOption())
    .addOption(deviceOption())
    .addOption(dtypeOption())
    .addOption(promptOption())
    .addOption(
      new Option(
        '--agent [model]',
        'ask a small model first, and add the words of its answer to the question',
      )
        .argParser(modelName)
        .preset(DEFAULT_AGENT_MODEL),
    )
    .addOption(maxNewTokensOption('maximum answer length in tokens (default: 128)'))
    .option('--overlay <file>', 'write a PNG that shows which tokens were kept')
    .addOption(focusOption())
    .addOption(tilesOption())
    .option('--compare', 'answer with all tokens as well', false)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: AskOptions) => {
      const images = words.slice(0, -1);
      const question = words.at(-1)?.trim() ?? '';
      if (images.length === 0) {
        throw new UsageError(
          `Expected one or more images and then a question, got only '${question}'. Example: mmtok ask photo.jpg "What is on the table?"`,
        );
      }
      if (question === '') throw new UsageError('The question is empty. Write it last, in quotes.');
      await ask({ ...options, images, question }, context);
    });
}

/**
 * Answers, and prints what was kept and how long it took.
 * @throws InputFileError, UsageError, ModelLoadError, AgentLoadError, UnsupportedModelError, InvalidBudgetError, InvalidOptionsError, BackendUnavailableError
 */
async function ask(request: AskRequest, { io, services }: Context): Promise<void> {
  const { images, question, model, keep, device, dtype, focus, tiles, maxNewTokens, json } = request;
  const coverage = focus === undefined ? undefined : [visionCoverage({ focus })];
  const asked = {
    images: await Promise.all(images.map((image) => readImage(image, io.cwd))),
    question,
    maxNewTokens,
  };
  const backend = await services.createBackend(
    request.backend,
    request.backend === 'ort' ? device : undefined,
  );
  const agent =
    request.agent === undefined
      ? undefined
      : await services.loadAgent({ model: request.agent, device, dtype }, io);
  const vlm = await services.loadVlm(
    { model, backend, device, dtype, promptTemplate: request.prompt, agent, coverage, tiles },
    io,
  );
  const status = createStatusLine(io.stderr);
  try {
    // A terminal shows the answer as it grows; a program gets it whole.
    const isLive = io.stdout.isTTY === true && !json && !request.compare;
    const onText = (text: string): void => {
      status.clear();
      io.stdout.write(safeText(text));
    };
    status.show('Thinking …');
    const both = request.compare ? await answerBoth(vlm, asked, keep) : undefined;
    const pruned =
      both?.pruned ?? (await vlm.ask({ ...asked, budget: keep, onText: isLive ? onText : undefined }));
    status.clear();
    let failure: unknown;
    const overlay = await writeOverlay(request, pruned, io).catch((error: unknown) => {
      // The answer took time: print it before failing.
      failure = error;
      return undefined;
    });
    if (json) printJson(io.stdout, toJson(request, vlm.backend, pruned, both, overlay));
    else {
      if (isLive) print(io.stdout);
      else print(io.stdout, pruned.text);
      print(io.stdout);
      printDetails(pruned, both, { engine: vlm.backend, model: vlm.name, overlay }, io);
    }
    if (failure !== undefined) throw failure;
  } finally {
    status.clear();
    await vlm.dispose();
    await agent?.dispose();
  }
}

/** Writes the overlay if requested; returns its path, or undefined. */
async function writeOverlay(
  { overlay }: AskRequest,
  answer: Answer,
  { cwd, stderr }: Io,
): Promise<string | undefined> {
  if (overlay === undefined) return undefined;
  const panels = await answer.overlay();
  if (panels.length === 0) {
    print(stderr, 'note: overlay skipped: the vision tokens of this model do not map to an image grid');
    return undefined;
  }
  const path = resolve(cwd, overlay);
  const png = await renderOverlay(panels);
  await orInputFileError(overlay, 'it cannot be written', () => writeFile(path, png));
  return path;
}

interface Circumstances {
  readonly engine: string;
  readonly model: string;
  readonly overlay: string | undefined;
}

function printDetails(
  pruned: Answer,
  both: BothAnswers | undefined,
  { engine, model, overlay }: Circumstances,
  { stdout, env }: Io,
): void {
  const colors = colorsFor(stdout, env);
  const field = (name: string, value: string): void => {
    if (value !== '') print(stdout, `${colors.dim(name.padEnd(8))}  ${value}`);
  };
  if (pruned.agent !== undefined) field('agent', agentInWords(pruned.agent));
  field('tokens', `${keptInWords(pruned)} vision tokens kept`);
  field('coverage', coverageInWords(pruned.images));
  field('time', phasesInWords(pruned.timings));
  field('model', `${model}, tokens selected by ${engine}`);
  if (overlay !== undefined) field('overlay', overlay);
  for (const note of pruned.notes) field('note', note);
  if (both === undefined) return;
  const { whole, runs } = both;
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
  for (const line of renderTable(columns, comparisonRows(both), stdout.columns ?? 100)) {
    print(stdout, line);
  }
  print(stdout);
  print(stdout, gainInWords(pruned.timings, whole.timings));
  if (runs > 1) print(stdout, colors.dim(`Times are medians of ${runs} alternating runs.`));
}

/** The JSON output, which is part of the command's contract. */
function toJson(
  { question, images, model }: AskRequest,
  backend: string,
  pruned: Answer,
  both: BothAnswers | undefined,
  overlay: string | undefined,
): object {
  return {
    answer: pruned.text,
    question,
    model,
    backend,
    visionTokens: pruned.visionTokens,
    keptTokens: pruned.keptTokens,
    images: pruned.images.map(({ visionTokens, indices, coverage }, i) => ({
      image: images[i],
      visionTokens,
      indices,
      coverage,
    })),
    timings: pruned.timings,
    ...(pruned.agent && { agent: pruned.agent }),
    notes: pruned.notes,
    ...(overlay !== undefined && { overlay }),
    ...(both && { allTokens: { answer: both.whole.text, timings: both.whole.timings }, runs: both.runs }),
  };
}
