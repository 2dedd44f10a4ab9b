// `mmtok eval speed`: time and memory from pixels to the first tokens at given dimensions, with all vision tokens and with few.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  atPicture,
  findModelDims,
  type ModelDims,
  measureSpeed,
  parseModelDims,
  type SpeedOptions,
  type SpeedProgress,
} from '@mmtok/eval';
import type { BackendName } from '../../engines/create-backend.js';
import { loadOnnxRuntime } from '../../engines/create-backend.js';
import { InputFileError } from '../../errors.js';
import { printJson } from '../../terminal/io.js';
import { createStatusLine } from '../../terminal/status-line.js';
import { formatBytes } from '../../terminal/text.js';
import type { Context } from '../context.js';
import { printSpeed } from './speed-table.js';

/** Pixels of a picture. */
export type Picture = readonly [width: number, height: number];

/** What `mmtok eval speed` was asked for. */
export interface SpeedRequest
  extends Pick<
    SpeedOptions,
    'layers' | 'encoderLayers' | 'tiles' | 'budgets' | 'dtype' | 'textTokens' | 'rounds' | 'decodeTokens'
  > {
  /** A name, or a JSON file. */
  readonly dims: string;
  readonly picture?: Picture | undefined;
  readonly device: string;
  readonly backend: BackendName;
  readonly json: boolean;
}

/**
 * Measures and prints a table.
 * @throws InvalidOptionsError, InvalidBudgetError, InputFileError for what was asked; BackendUnavailableError.
 */
export async function measureDims(request: SpeedRequest, { io, services }: Context): Promise<void> {
  const { dims: name, picture, device, json, backend: engine, ...options } = request;
  const dims = await resolveDims(name, picture, io.cwd);
  const backend = await services.createBackend(engine, engine === 'ort' ? device : undefined);
  const status = createStatusLine(io.stderr);
  try {
    const result = await measureSpeed({
      ...options,
      dims,
      device,
      backend,
      runtime: loadOnnxRuntime(),
      onProgress: (progress) => status.show(inWords(progress, dims)),
    });
    status.clear();
    if (json) printJson(io.stdout, result);
    else printSpeed(result, io);
  } finally {
    status.clear();
    await backend.dispose();
  }
}

/**
 * The dimensions of a name or a JSON file, with a picture of another size if one is given.
 * @throws InvalidOptionsError, InputFileError
 */
export async function resolveDims(
  name: string,
  picture: Picture | undefined,
  cwd: string,
): Promise<ModelDims> {
  const dims = await readDims(name, cwd);
  return picture === undefined ? dims : atPicture(dims, ...picture);
}

async function readDims(name: string, cwd: string): Promise<ModelDims> {
  if (!/[/\\]|\.json$/.test(name)) return findModelDims(name);
  const text = await readFile(resolve(cwd, name), 'utf8').catch((cause: unknown) => {
    throw new InputFileError(name, `it cannot be read (${reasonOf(cause)})`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InputFileError(name, `it is no JSON (${reasonOf(cause)})`, { cause });
  }
  return parseModelDims(value);
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function inWords({ phase, done, total }: SpeedProgress, { title }: ModelDims): string {
  switch (phase) {
    case 'features':
      return `${title}: drawing features …`;
    case 'weights':
      return `${title}: writing ${formatBytes(done)} of ${formatBytes(total)} of random weights …`;
    case 'load':
      return `${title}: loading the decoder …`;
    case 'encode':
      return `${title}: encoding, round ${done} of ${total - 1} …`;
    case 'warmUp':
      return `${title}: warming up, ${done} of ${total} prompts …`;
    case 'measure':
      return `${title}: measuring, ${done} of ${total} prompts …`;
  }
}
