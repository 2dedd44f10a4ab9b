// The tap: opens a model's vision encoder again with one more output, the features before the projector.

import type { PreTrainedModel } from '@huggingface/transformers';
import { messageOf, parseOptions } from '@mmtok/core/internal';
import {
  appendGraphOutput,
  OnnxFormatError,
  OnnxModelError,
  readGraph,
  type ScannedGraph,
} from '@mmtok/onnx';
import * as z from 'zod';
import { platform } from '#files';
import { VisionFeaturesError } from '../errors.js';
import { type ProjectorInput, rememberTap } from '../internal/tapped-sessions.js';
import type { ModelLike, SessionLike } from '../internal/types.js';
import { readable } from '../internal/values.js';
import { findProjectorInput, projectorInputNamed } from './find-projector-input.js';
import {
  type FoundFile,
  type LibraryEnv,
  type ModelPlace,
  readModelFile,
  readNamedFile,
} from './model-files.js';

/** What {@link tapVisionEncoder} needs. */
export interface TapOptions {
  /** The `vision_encoder*.onnx` that the model was loaded from: a path in Node, a URL in a browser, or its bytes. */
  readonly file: string | URL | Uint8Array;
  /** The name of the projector's input tensor. @default found in the file */
  readonly tensor?: string;
  /** Also expose the encoder's patches before they are merged into tokens, for `visionFeatures: 'patches'`. @default false */
  readonly patches?: boolean;
  /** More options for the new session, e.g. `{ executionProviders: ['cuda'] }`. */
  readonly sessionOptions?: Readonly<Record<string, unknown>>;
}

/** The result of tapping a model while it was loaded. */
export interface LoadTap {
  /** The exposed tensor, if it worked. */
  readonly tensor?: string;
  /** Why it did not work. */
  readonly problem?: string;
}

/** The output of vision encoders that transformers.js reads. */
const OUTPUT = 'image_features';

/** Deeper subgraphs are not searched for weights. */
const MAX_DEPTH = 64;

const schema = z.strictObject({
  file: z.union(
    [z.string().min(1), z.instanceof(URL), z.instanceof(Uint8Array)],
    'expected the path, URL, or bytes of the vision_encoder*.onnx that the model was loaded from',
  ),
  tensor: z.string().min(1).optional(),
  patches: z.boolean().optional(),
  sessionOptions: z.record(z.string(), z.unknown()).optional(),
});

/**
 * Exposes the features before the projector of a loaded model: replaces its vision encoder with the same encoder plus one
 * more output. Models from `loadVlm()` already have it.
 * @throws InvalidOptionsError for invalid options.
 * @throws VisionFeaturesError if the model has no vision encoder, or the projector cannot be found in the file.
 * @example
 * const model = await AutoModelForImageTextToText.from_pretrained('./my-model');
 * await tapVisionEncoder(model, { file: './my-model/onnx/vision_encoder.onnx' });
 */
export async function tapVisionEncoder(
  model: PreTrainedModel | null | undefined,
  options: TapOptions,
): Promise<void> {
  const {
    file,
    tensor,
    patches = false,
    sessionOptions,
  } = parseOptions('options of tapVisionEncoder', schema, options);
  const isInMemory = file instanceof Uint8Array;
  const read = async (): Promise<FoundFile> =>
    isInMemory ? { bytes: file } : await readNamedFile(file as string | URL);
  const found = await read();
  await replaceEncoder(model as ModelLike | null | undefined, {
    ...found,
    name: isInMemory ? 'the vision encoder' : String(file),
    ...(!isInMemory && { readAgain: read }),
    tensor,
    patches,
    sessionOptions: { logSeverityLevel: severityOf(), ...sessionOptions },
    async weights(location) {
      if (isInMemory) throw new VisionFeaturesError(missingWeights(location));
      return (await readNamedFile(platform.beside(file, location))).bytes;
    },
  });
}

/** Taps the vision encoder of a model that transformers.js has just loaded. */
export async function tapLoadedModel(
  model: PreTrainedModel,
  env: LibraryEnv,
  place: ModelPlace,
  options: {
    readonly tensor?: string | undefined;
    readonly patches?: boolean | undefined;
    readonly sessionOptions?: Readonly<Record<string, unknown>>;
  },
): Promise<LoadTap> {
  const target = model as unknown as ModelLike;
  try {
    const { dtype = 'fp32', device = '' } = (target.sessions.vision_encoder?.config ?? {}) as LoadedAs;
    const name = `onnx/vision_encoder${suffixOf(dtype)}.onnx`;
    const readAgain = (): Promise<FoundFile> => readModelFile(env, place, name);
    const tap = await replaceEncoder(target, {
      ...(await readAgain()),
      readAgain,
      name,
      tensor: options.tensor,
      patches: options.patches ?? false,
      sessionOptions: { ...sessionOptionsOf(target, device, env), ...options.sessionOptions },
      weights: async (location) => (await readModelFile(env, place, `onnx/${location}`)).bytes,
    });
    return { tensor: tap.features };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** What transformers.js records on its sessions. */
interface LoadedAs {
  readonly dtype?: string;
  readonly device?: string;
}

/** The file name suffixes that transformers.js uses for each precision. */
function suffixOf(dtype: string): string {
  const special: Readonly<Record<string, string>> = { fp32: '', q8: '_quantized' };
  return special[dtype] ?? `_${dtype}`;
}

/** The session options that transformers.js derives from a device and a model's configuration. */
function sessionOptionsOf({ config }: ModelLike, device: string, env: LibraryEnv): Record<string, unknown> {
  const given = (config['transformers.js_config'] ?? {}) as Readonly<Record<string, unknown>>;
  const ofDevices = (given.device_config ?? {}) as Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >;
  const dimensions = ofDevices[device]?.free_dimension_overrides ?? given.free_dimension_overrides;
  const providers =
    device === 'auto' || device === 'gpu'
      ? platform.devices(device)
      : device.startsWith('webnn')
        ? [{ name: 'webnn', deviceType: device.split('-')[1] ?? 'cpu' }]
        : [device];
  return {
    ...(device !== '' && { executionProviders: providers }),
    ...(dimensions !== undefined && { freeDimensionOverrides: dimensions }),
    logSeverityLevel: severityOf(env.logLevel),
  };
}

/** The log level of ONNX Runtime for a log level of transformers.js, which is quieter: its warnings are errors only. */
function severityOf(level = 30): number {
  if (level <= 10) return 0;
  return level <= 20 ? 2 : level <= 40 ? 3 : 4;
}

/** A vision encoder's file, and how to open it. */
interface EncoderFile extends FoundFile {
  /** For messages. */
  readonly name: string;
  readonly tensor: string | undefined;
  /** Whether to expose the encoder's patches too. */
  readonly patches: boolean;
  readonly sessionOptions: Readonly<Record<string, unknown>>;
  /** Reads the file again, if that is possible. */
  readonly readAgain?: () => Promise<FoundFile>;
  /** Reads a weights file in the same folder. */
  weights(location: string): Promise<Uint8Array>;
}

/** The class of a session, which opens other sessions on the same runtime that transformers.js uses. */
interface SessionClass {
  create(source: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<SessionLike>;
}

async function replaceEncoder(
  model: ModelLike | null | undefined,
  file: EncoderFile,
): Promise<ProjectorInput> {
  const before = readable(
    () => model?.sessions?.vision_encoder,
    (problem) => new VisionFeaturesError(problem),
  );
  if (model == null || before === undefined) {
    throw new VisionFeaturesError(
      'the model has no separate vision encoder; pass the result of from_pretrained()',
    );
  }
  const { bytes, tap, locations } = readTapped(file);
  // Without the bytes, so that `reopen` does not keep them in memory.
  const { bytes: _, readAgain, ...opening } = file;
  const options = await withWeights(opening, locations);
  const Session = before.constructor as unknown as SessionClass;
  const session = await Session.create(bytes, options);
  rememberTap(session, {
    ...tap,
    ...(readAgain && {
      reopen: async () =>
        await Session.create((await readAgain()).bytes, await withWeights(opening, locations)),
    }),
  });
  session.config = before.config;
  model.sessions = { ...model.sessions, vision_encoder: session };
  await before.release?.();
  return tap;
}

/** The file's bytes with the added outputs, and the files that contain its weights. */
function readTapped({ bytes: original, name, tensor, patches }: EncoderFile): {
  readonly bytes: Uint8Array;
  readonly tap: ProjectorInput;
  readonly locations: readonly string[];
} {
  try {
    const graph = readGraph(original);
    const found =
      tensor === undefined ? findProjectorInput(graph, OUTPUT) : projectorInputNamed(graph, tensor);
    if (found === undefined) {
      throw new VisionFeaturesError(
        `no projector was found in ${name}; set tap: { tensor } to the name of its input`,
      );
    }
    const { patches: _, ...merged } = found;
    const tap: ProjectorInput = patches ? found : merged;
    const outputs = [tap.features, tap.order, tap.patches].filter((output) => output !== undefined);
    const bytes = outputs.reduce<Uint8Array>(appendGraphOutput, original);
    return { bytes, tap, locations: weightFiles(graph) };
  } catch (cause) {
    if (!OnnxFormatError.isInstance(cause) && !OnnxModelError.isInstance(cause)) throw cause;
    throw new VisionFeaturesError(`${name} cannot be read: ${messageOf(cause)}`);
  }
}

/** The files next to a model that contain its weights. */
function weightFiles(graph: ScannedGraph): string[] {
  const found = new Set<string>();
  const visit = ({ initializers, nodes }: ScannedGraph, depth: number): void => {
    for (const { location } of initializers) if (location !== undefined) found.add(location);
    for (const { attributes } of nodes) {
      for (const { tensor, graph: inner } of Object.values(attributes)) {
        if (tensor?.location !== undefined) found.add(tensor.location);
        if (inner !== undefined && depth < MAX_DEPTH) visit(inner, depth + 1);
      }
    }
  };
  visit(graph, 0);
  return [...found];
}

/** Options with which a session created from bytes finds its weights: the folder on disk, or the bytes of those files too. */
async function withWeights(
  { folder, sessionOptions, weights, name }: Omit<EncoderFile, 'bytes' | 'readAgain'>,
  locations: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  if (folder !== undefined) {
    const extra = (sessionOptions.extra ?? {}) as { readonly session?: object };
    // In ONNX Runtime's JavaScript API, this is how to set `session.model_external_initializers_file_folder_path`.
    const session = { ...extra.session, model_external_initializers_file_folder_path: folder };
    return { ...sessionOptions, extra: { ...extra, session } };
  }
  if (locations.length === 0 || sessionOptions.externalData !== undefined) return sessionOptions;
  const externalData = await Promise.all(
    locations.map(async (location) => {
      const path = location.replace(/^\.\//, '');
      if (!/^[^\\/:]+$/.test(path) || path === '..') {
        throw new VisionFeaturesError(
          `${name} reads weights from '${location}', but they must be in the same folder`,
        );
      }
      return { path, data: await weights(path) };
    }),
  );
  return { ...sessionOptions, externalData };
}

const missingWeights = (location: string): string =>
  `the model reads weights from the file '${location}'; pass them as sessionOptions: { externalData: [{ path, data }] }`;
