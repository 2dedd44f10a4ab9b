// The verification of a model: whether pruning is correct and pays off on this checkpoint, precision, and device.

import type { Backend } from '@mmtok/core';
import { InvalidOptionsError } from '@mmtok/core';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { Vlm } from '../create-vlm.js';
import { type LoadedVlm, type LoadVlmOptions, loadVlm } from '../files/load-vlm.js';
import type { PruneHandle } from '../prune.js';
import { prune } from '../prune.js';
import { checksOf } from './checks.js';
import { type VerifyImage, verifyImages } from './images.js';
import { measure, memorySince, residentBytes, speedLimit } from './measure.js';
import type { SpeedLimit, VerifiedModel, VerifyReport } from './report.js';
import { Subject } from './subject.js';
import { type ImageResult, percent, verifyImage } from './verify-image.js';

/** The progress of a verification. */
export interface VerifyProgress {
  readonly done: number;
  readonly total: number;
  /** The current step. */
  readonly what: string;
}

/** Options of {@link verifyVlm}. */
export interface VerifyOptions {
  /** Images to ask about; the first is timed. @default four drawn ones, see {@link verifyImages} */
  readonly images?: readonly VerifyImage[];
  /** The share of vision tokens to keep when pruned answers are checked. @default 0.25 */
  readonly ratio?: number;
  /** Length of the answers, in tokens. @default 16 */
  readonly newTokens?: number;
  /** Timed calls per row; 0 skips timing. @default 3 */
  readonly repeats?: number;
  /** A prompt with `{question}` and the model's placeholder, for models without a chat template. */
  readonly template?: string;
  /** How to load the model, if it is given by name. */
  readonly load?: Omit<LoadVlmOptions, 'signal'>;
  /**
   * Where similarities are computed. Not for a model from `createVlm`, which already has one.
   * @default ONNX Runtime, the same instance that runs the model
   */
  readonly backend?: Backend;
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Ends the verification before its next step. */
  readonly signal?: AbortSignal;
}

const SHARES = [0.5, 0.25, 0.1] as const;

const isFunction = (value: unknown): boolean => typeof value === 'function';
const schema = z.strictObject({
  images: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        kind: z.enum(['shape', 'detail', 'counting', 'reading', 'other']),
        image: z.custom<VerifyImage['image']>(
          (value) => typeof (value as VerifyImage['image'] | undefined)?.width === 'number',
          'expected a transformers.js RawImage',
        ),
        question: z.string().min(1),
      }),
    )
    .min(1)
    .optional(),
  ratio: z
    .number('expected a number')
    .gt(0, 'expected a ratio above 0')
    .lt(1, 'expected a ratio below 1')
    .default(0.25),
  newTokens: z.int('expected a whole number').positive('expected at least 1').default(16),
  repeats: z.int('expected a whole number').nonnegative('expected 0 or more').default(3),
  template: z.string().min(1).optional(),
  load: z
    .custom<Omit<LoadVlmOptions, 'signal'>>((value) => typeof value === 'object' && value !== null)
    .optional(),
  backend: z.custom<Backend>((value) => isFunction((value as Backend | undefined)?.run)).optional(),
  onProgress: z.custom<(progress: VerifyProgress) => void>(isFunction, 'expected a function').optional(),
  signal: z
    .custom<AbortSignal>(
      (value) => isFunction((value as AbortSignal | undefined)?.throwIfAborted),
      'expected an AbortSignal',
    )
    .optional(),
});

/**
 * Verifies pruning on a model. It checks that keeping all tokens changes nothing, that a pruned answer matches what the
 * unmodified library gives for the shortened prompt, that the features before the projector are the right ones, and that
 * the question drives the selection. It also measures how much time pruning saves. It asks about a few drawn images.
 * Nothing else may use the model during the verification.
 * @param model a hub id or folder, or a loaded model from `loadVlm` (not pruned yet) or from `createVlm`. Only a model
 * that is loaded here is disposed at the end.
 * @throws InvalidOptionsError for invalid options; any error from `loadVlm`, `prune`, and `generate`; the signal's reason if
 * it is aborted. A problem with the model is not an error: read `passed` and `checks`.
 * @example
 * const { passed, checks, timings } = await verifyVlm('HuggingFaceTB/SmolVLM2-256M-Video-Instruct', { load: { dtype: 'q4' } });
 */
export async function verifyVlm(
  model: string | LoadedVlm | Vlm,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const parsed = parseOptions('options of verifyVlm', schema, options);
  const startBytes = residentBytes();
  if (typeof model !== 'string') {
    if (parsed.load !== undefined)
      throw new InvalidOptionsError('options of verifyVlm', ['load: the model is already loaded']);
    return await verifyLoaded(model, parsed, startBytes);
  }
  const { signal } = parsed;
  const loaded = await loadVlm(model, { ...parsed.load, ...(signal && { signal }) });
  try {
    return await verifyLoaded(loaded, parsed, startBytes);
  } finally {
    await loaded.model.dispose();
  }
}

type Parsed = z.output<typeof schema>;

async function verifyLoaded(
  given: LoadedVlm | Vlm,
  options: Parsed,
  startBytes: number | undefined,
): Promise<VerifyReport> {
  if ('handle' in given) {
    if (options.backend !== undefined)
      throw new InvalidOptionsError('options of verifyVlm', ['backend: the model already has one']);
    return await verifyPruned(given, given.handle, options, startBytes);
  }
  const handle = prune(given.model, {
    processor: given.processor,
    budget: { ratio: options.ratio },
    ...(options.backend && { backend: options.backend }),
  });
  try {
    return await verifyPruned(given, handle, options, startBytes);
  } finally {
    await handle.restore();
  }
}

async function verifyPruned(
  given: LoadedVlm | Vlm,
  handle: PruneHandle,
  { images, ratio, newTokens, repeats, template, onProgress, signal }: Parsed,
  startBytes: number | undefined,
): Promise<VerifyReport> {
  const examples = images ?? verifyImages(given.library);
  const first = examples[0] as VerifyImage;
  const subject = new Subject(given, handle, template);
  const shares = SHARES.filter((share) => share !== ratio);
  const rows = repeats === 0 ? [] : [0, ...SHARES, 1];
  const total = rows.length + examples.length * (5 + shares.length);
  let done = 0;
  const next = (what: string): void => {
    signal?.throwIfAborted();
    onProgress?.({ done: done++, total, what });
  };
  const timings = await measure(subject, {
    example: first,
    shares: rows,
    repeats,
    newTokens,
    next: (share) => next(`time: ${share === 0 ? 'one token' : percent(share)}`),
  });
  const results: ImageResult[] = [];
  for (const example of examples) {
    results.push(await verifyImage(subject, example, { ratio, shares, newTokens, next }));
  }
  signal?.throwIfAborted();
  const tapProblem = 'tap' in given ? given.tap.problem : undefined;
  const checks = await checksOf(subject, results, { example: first, tapProblem });
  const limit = speedLimit(timings);
  const memory = memorySince(startBytes);
  onProgress?.({ done: total, total, what: 'done' });
  return {
    model: describe(given, subject, results),
    passed: checks.every(({ status }) => status !== 'fail'),
    checks,
    images: results.map(({ image }) => image),
    timings,
    ...(limit && { limit }),
    ...(memory && { memory }),
    advice: adviceOf(results, limit),
  };
}

function describe(
  given: LoadedVlm | Vlm,
  { model, family, library }: Subject,
  [result]: readonly ImageResult[],
): VerifiedModel {
  const { report } = result as ImageResult;
  const sessions = Object.entries(model.sessions).map(([name, { config }]) => {
    const { dtype, device } = (config ?? {}) as { readonly dtype?: string; readonly device?: string };
    return [
      name,
      { ...(dtype !== undefined && { dtype }), ...(device !== undefined && { device }) },
    ] as const;
  });
  return {
    source: 'source' in given ? given.source : given.modelId,
    family: family.name,
    modelType: String(model.config.model_type),
    library: `transformers.js ${library.env.version}`,
    sessions: Object.fromEntries(sessions),
    positions: report.positions,
    visionFeatureSource: report.visionFeatureSource ?? 'projected',
  };
}

/** Below this speedup, pruning is hardly worth a changed answer. */
const WORTHWHILE = 1.2;

function adviceOf(results: readonly ImageResult[], limit: SpeedLimit | undefined): string[] {
  const advice: string[] = [];
  const reads = results.filter(({ image }) => image.kind === 'reading');
  if (reads.length > 0) {
    const changed = reads.some(({ image }) =>
      image.answers.some(({ keep, sameAsAll }) => keep < 0.5 && !sameAsAll),
    );
    advice.push(
      `For questions that read text or numbers, keep at least half of the vision tokens${changed ? '; here the answer changed below that' : ''}. ` +
        'Every pruning method loses these answers first, then counting and descriptions.',
    );
  }
  if (limit !== undefined) {
    const share = Math.round(limit.fixedShare * 100);
    advice.push(
      limit.measured < WORTHWHILE
        ? `Pruning saves little time here: even the fastest pruned calls take ${Math.round(100 / limit.measured)} % of the time of an unpruned one. Image processing and the vision encoder, which pruning cannot speed up, take ${share} %. Larger images may gain more.`
        : `Pruning makes a call up to ${limit.measured.toFixed(1)} times as fast here. Image processing and the vision encoder, which pruning cannot speed up, take ${share} % of an unpruned call.`,
    );
  }
  if (results[0]?.report.notes.length) advice.push(...results[0].report.notes);
  return advice;
}
