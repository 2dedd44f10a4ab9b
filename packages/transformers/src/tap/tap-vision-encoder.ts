// Taps the vision encoder of a model: of one that is loaded, or of one while it loads.

import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { VisionFeaturesError } from '../errors/vision-features-error.js';
import type { ModelLike } from '../upstream/types.js';
import { type SessionFactory, sessionFactory } from './runtime.js';
import { type TappedFile, tapFile } from './tapped-file.js';
import { rememberTap } from './tapped-sessions.js';

/** What {@link tapVisionEncoder} needs. */
export interface TapOptions {
  /** The `vision_encoder*.onnx` that the model was loaded from. */
  readonly file: string;
  /** The name of the tensor that goes into the projector. @default found in the file */
  readonly tensor?: string;
  /** Further options of the new session, e.g. `{ executionProviders: ['cuda'] }`. */
  readonly sessionOptions?: Readonly<Record<string, unknown>>;
}

const schema = z.strictObject({
  file: z
    .string('expected the path of the vision_encoder*.onnx that the model was loaded from')
    .min(1, 'expected the path of a file'),
  tensor: z.string().min(1).optional(),
  sessionOptions: z.record(z.string(), z.unknown()).optional(),
});

/**
 * Exposes the features from before the projector of a loaded model: its vision encoder is replaced by the same one with
 * a further output. Models from `loadVlm()` have this already.
 * @throws InvalidOptionsError for options of the wrong form.
 * @throws VisionFeaturesError if the model has no vision encoder, or the projector is not to be found in the file.
 */
export async function tapVisionEncoder(model: unknown, options: TapOptions): Promise<void> {
  const { file, tensor, sessionOptions } = parseOptions('options of tapVisionEncoder', schema, options);
  const target = model as ModelLike | null | undefined;
  const before = target?.sessions?.vision_encoder;
  if (target == null || before === undefined) {
    throw new VisionFeaturesError(
      'the model has no vision encoder of its own; pass what from_pretrained() returned',
    );
  }
  const tapped = await tapFile(file, tensor);
  const session = await sessionFactory().create(tapped.bytes, withExtra(sessionOptions, tapped));
  rememberTap(session, tapped.tap);
  session.config = before.config;
  target.sessions = { ...target.sessions, vision_encoder: session };
  await before.release?.();
}

/** What became of the tap while a model was loaded. */
export interface LoadTap {
  /** The exposed tensor, if it worked. */
  readonly tensor?: string;
  /** Why it did not. */
  readonly problem?: string;
}

let loading: Promise<unknown> = Promise.resolve();

/**
 * Runs `load` while vision encoders that it loads from `place` are tapped, so that no session is loaded twice. Loads
 * take turns, for they share the one class that makes sessions.
 * @param place a part of the path of the model's files.
 */
export async function whileTapping<T>(
  place: string,
  tensor: string | undefined,
  load: () => Promise<T>,
): Promise<{ readonly loaded: T; readonly tap: LoadTap }> {
  const turn = loading.then(() => tapLoads(sessionFactory(), place, tensor, load));
  loading = turn.catch(() => undefined);
  return await turn;
}

async function tapLoads<T>(
  factory: SessionFactory,
  place: string,
  tensor: string | undefined,
  load: () => Promise<T>,
): Promise<{ readonly loaded: T; readonly tap: LoadTap }> {
  const create = factory.create;
  let tap: LoadTap = { problem: 'no vision encoder was loaded from a file' };
  const isEncoder = (source: unknown): source is string =>
    typeof source === 'string' && isEncoderFile(source, place);
  factory.create = async (source, options) => {
    const original = (): ReturnType<SessionFactory['create']> => create.call(factory, source, options);
    if (!isEncoder(source)) return await original();
    try {
      const tapped = await tapFile(source, tensor);
      const session = await create.call(factory, tapped.bytes, withExtra(options, tapped));
      rememberTap(session, tapped.tap);
      tap = { tensor: tapped.tap.features };
      return session;
    } catch (problem) {
      tap = { problem: problem instanceof Error ? problem.message : String(problem) };
      return await original();
    }
  };
  try {
    return { loaded: await load(), tap };
  } finally {
    factory.create = create;
  }
}

/**
 * Whether a path is that of a vision encoder's file below `place`, whichever way the slashes of either lean: on Windows a
 * folder has backslashes where a hub id has none.
 */
export function isEncoderFile(path: string, place: string): boolean {
  const [folder, wanted] = [path, place].map((one) => one.replaceAll('\\', '/')) as [string, string];
  return (
    /\/vision_encoder[^/]*\.onnx$/.test(folder) && folder.slice(0, folder.lastIndexOf('/')).includes(wanted)
  );
}

function withExtra(
  options: Readonly<Record<string, unknown>> | undefined,
  { sessionOptions }: TappedFile,
): Record<string, unknown> {
  const given = (options?.extra ?? {}) as { readonly session?: object };
  return { ...options, extra: { ...given, session: { ...given.session, ...sessionOptions.extra.session } } };
}
