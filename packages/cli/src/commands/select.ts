// `mmtok select`: token selection for other programs, from a file of features to indices. No model is loaded.

import {
  type Budget,
  type MatrixInput,
  MmtokError,
  type ObjectiveTerm,
  type Selection,
  selectTokens,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import { explainFileError } from '@mmtok/core/internal';
import type { Command } from 'commander';
import type { BackendName } from '../engines/create-backend.js';
import { InputFileError } from '../errors.js';
import { pathOf } from '../images/read-image.js';
import {
  backendOption,
  focusOption,
  jsonOption,
  keepOption,
  parsed,
  parseIndices,
  parseNumber,
} from '../options.js';
import { SafetensorsFile } from '../safetensors.js';
import { type Colors, colorsFor, type Io, print, printJson } from '../terminal/io.js';
import { formatMs, formatShare, wrapColumns } from '../terminal/text.js';
import type { Context } from './context.js';

const EXAMPLES = `
The file holds matrices of floats (F32, F16, BF16 or F64):
  vision_tokens    [n, D]  vision tokens as the language model receives them
  vision_features  [n, d]  features from before the projector; optional
  text_tokens      [m, D]  input embeddings of the question's tokens; optional
With --json it prints {"indices": [...], "order": [...], "gains": [...], "coverage": {...}, "optimality": ...}.

Examples:
  mmtok select features.safetensors --keep 64
  mmtok select features.safetensors --keep 10% --exclude 0-23,40 --json
  python make_features.py | mmtok select - --keep c0.95 --json`;

/** The parsed command line of `mmtok select`. */
interface SelectRequest {
  /** A safetensors file; `-` is standard input. */
  readonly file: string;
  readonly keep: Budget;
  readonly textTemperature: number;
  readonly visionTemperature: number;
  /** Weight of vision coverage. */
  readonly alpha: number;
  /** Vision coverage alone, weighted by relevance to the question; see `visionCoverage`. */
  readonly focus?: number | 'auto' | undefined;
  readonly exclude: readonly number[];
  readonly include: readonly number[];
  readonly backend: BackendName;
  readonly device?: string | undefined;
  readonly json: boolean;
}

/** Adds the command. */
export function addSelect(program: Command, context: Context): void {
  program
    .command('select')
    .description('select tokens from a file of features; for programs in any language')
    .argument('<file>', 'a safetensors file, or - for standard input')
    .addOption(keepOption().makeOptionMandatory())
    .addOption(
      parsed('--text-temperature <number>', 'softmax temperature of text coverage', parseNumber).default(
        0.02,
      ),
    )
    .addOption(
      parsed('--vision-temperature <number>', 'softmax temperature of vision coverage', parseNumber).default(
        0.2,
      ),
    )
    .addOption(
      parsed('--alpha <number>', 'weight of vision coverage relative to text coverage', parseNumber).default(
        0.5,
      ),
    )
    .addOption(focusOption().conflicts(['alpha', 'textTemperature']))
    .addOption(
      parsed('--exclude <indices>', 'tokens never to keep, e.g. 0-23,40', parseIndices).default([], 'none'),
    )
    .addOption(
      parsed(
        '--include <indices>',
        'tokens always to keep; they count toward the budget',
        parseIndices,
      ).default([], 'none'),
    )
    .addOption(backendOption())
    .option('--device <name>', "the backend's device: cpu, cuda, webgpu, …; for tfjs tensorflow, wasm or cpu")
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: Omit<SelectRequest, 'file'>) => {
      await select({ ...options, file }, context);
    });
}

/**
 * Selects tokens and prints their indices.
 * @throws InputFileError, SafetensorsError, InvalidTensorError, InvalidBudgetError, InvalidOptionsError, BackendUnavailableError
 */
async function select(request: SelectRequest, { io, services }: Context): Promise<void> {
  const { exclude, include } = request;
  const coverage = objective(request);
  const { vision, visionFeatures, text } = await readFeatures(request.file, io);
  const backend = await services.createBackend(request.backend, request.device);
  try {
    const selection = await selectTokens({
      backend,
      coverage,
      vision,
      ...(visionFeatures && { visionFeatures }),
      ...(text && { text }),
      budget: request.keep,
      constraints: { exclude, include },
    });
    const engine = `${backend.name} (${backend.device})`;
    if (request.json) printJson(io.stdout, { ...toJson(selection), backend: engine });
    else printSelection(selection, engine, io);
  } finally {
    await backend.dispose();
  }
}

/** The paper's two terms, or vision coverage alone with a focus. */
function objective(request: SelectRequest): readonly ObjectiveTerm[] {
  const { textTemperature, visionTemperature, alpha, focus } = request;
  if (focus !== undefined) return [visionCoverage({ temperature: visionTemperature, focus })];
  return [
    textCoverage({ temperature: textTemperature }),
    visionCoverage({ temperature: visionTemperature, weight: alpha }),
  ];
}

interface Features {
  readonly vision: MatrixInput;
  readonly visionFeatures: MatrixInput | undefined;
  readonly text: MatrixInput | undefined;
}

async function readFeatures(path: string, io: Io): Promise<Features> {
  const file = path === '-' ? new SafetensorsFile(await readAll(io.stdin)) : openFile(path, io.cwd);
  try {
    return {
      vision: file.get('vision_tokens'),
      visionFeatures: file.find('vision_features'),
      text: file.find('text_tokens'),
    };
  } finally {
    file.close();
  }
}

function openFile(path: string, cwd: string): SafetensorsFile {
  try {
    return SafetensorsFile.open(pathOf(path, cwd));
  } catch (cause) {
    if (MmtokError.isInstance(cause)) throw cause;
    throw new InputFileError(path, explainFileError(cause), { cause });
  }
}

async function readAll(stdin: Io['stdin']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}

/** The JSON output, which is part of the command's contract. */
function toJson({
  trace: _,
  ...selection
}: Selection): Omit<Selection, 'trace'> & { readonly keptTokens: number } {
  return { keptTokens: selection.indices.length, ...selection };
}

function printSelection(selection: Selection, engine: string, { stdout, env }: Io): void {
  const colors = colorsFor(stdout, env);
  const { visionTokens, indices, coverage, optimality, timings } = selection;
  const kept = `${colors.bold(String(indices.length))} of ${visionTokens} tokens kept (${formatShare(indices.length / visionTokens)})`;
  const covered = Object.entries(coverage).map(([term, share]) => `${term} ${formatShare(share)}`);
  print(stdout, kept);
  printField(stdout, colors, 'coverage', covered.join(', '));
  printField(stdout, colors, 'optimality', `at least ${formatShare(optimality)} of the best possible`);
  printField(stdout, colors, 'time', `${formatMs(timings.totalMs)} ms on ${engine}`);
  for (const note of selection.notes) printField(stdout, colors, 'note', note);
  print(stdout);
  for (const line of wrapColumns(indices.join(' '), (stdout.columns ?? 100) - 1)) print(stdout, line);
}

function printField(stdout: Io['stdout'], colors: Colors, name: string, value: string): void {
  print(stdout, `${colors.dim(name.padEnd(10))}  ${value}`);
}
