// Measures once what a tile, a patch, and a token cost for a model on this machine, and stores the result.

import type { PreTrainedModel, Processor, RawImage } from '@huggingface/transformers';
import { createRandom, parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { platform } from '#files';
import { canFitImages, fitImage } from '../families/fit-image.js';
import { prunedFamilyOf } from '../families/index.js';
import { type ModelInputs, processInputs } from '../families/process.js';
import { tileCount } from '../families/tiling.js';
import type { Library, ModelLike } from '../internal/types.js';
import { digest } from '../internal/values.js';
import type { CallOptions } from '../options.js';
import type { PruneHandle } from '../prune.js';
import type { PhaseTimes, PruneReport } from '../report.js';
import { visionTokensPerImage } from '../vlm/runner.js';
import {
  type CallSize,
  type CostSample,
  fitCosts,
  type PhaseCosts,
  phaseCostsSchema,
  totalMs,
} from './costs.js';

/** The model to profile, as returned by `createVlm`. */
export interface ProfiledVlm {
  readonly model: PreTrainedModel;
  readonly processor: Processor;
  readonly library: Library;
  readonly handle: PruneHandle;
  readonly modelId: string;
}

/** Options of {@link profileVlm}. */
export interface ProfileOptions {
  /** Measure again and replace the stored profile. @default false */
  readonly fresh?: boolean | undefined;
  /** A prompt with `{question}` and the model's placeholder, for models without a chat template. */
  readonly template?: string | undefined;
  /** Store the profile in the user's cache folder or the browser's Cache Storage. @default true */
  readonly remember?: boolean | undefined;
}

/** The cost of calls for a model with its device and precision, on this machine. Plain data. */
export interface VlmProfile {
  /** Identifies model, device, precision, and machine. */
  readonly key: string;
  /** Time of the measurement, in ISO 8601. */
  readonly measured: string;
  readonly costs: PhaseCosts;
}

const profileSchema = z.strictObject({
  key: z.string(),
  measured: z.string(),
  costs: phaseCostsSchema,
}) satisfies z.ZodType<VlmProfile>;

const vlmSchema = z.custom<ProfiledVlm>((value) => {
  const { model, processor, library, handle } = (value ?? {}) as Partial<ProfiledVlm>;
  return [model, processor, library, handle].every((one) => one != null);
}, 'expected the result of createVlm()');

const optionsSchema = z.strictObject({
  fresh: z.boolean().optional(),
  template: z.string().min(1).optional(),
  remember: z.boolean().optional(),
}) satisfies z.ZodType<ProfileOptions>;

/** Increment this when the cost terms or the measurements change. */
const VERSION = 3;

/**
 * Measures the cost of a model: the vision encoder by number of tiles or image size, selection, and the language model by prompt
 * length. It makes about a hundred calls, fewer for slow models, once per model, device, precision, and machine. After that, the
 * profile is read from the user's cache folder or, in a browser, from Cache Storage. No other call may run at the same time.
 * @throws InvalidOptionsError if the model or options are invalid; InputError if the model cannot be called, e.g. if it has no
 * chat template.
 * @example
 * const vlm = await createVlm('HuggingFaceTB/SmolVLM-256M-Instruct', { keep: { firstTokenMs: 500 } });
 * await profileVlm(vlm); // else the first call does it
 */
export async function profileVlm(vlm: ProfiledVlm, options: ProfileOptions = {}): Promise<VlmProfile> {
  parseOptions('model of profileVlm', vlmSchema, vlm);
  const given = parseOptions('options of profileVlm', optionsSchema, options);
  const { fresh = false, template, remember = true } = given;
  const key = await profileKey(vlm);
  if (!fresh && remember) {
    const known = profileSchema.safeParse(await platform.profiles.read(key));
    if (known.success && known.data.key === key) return known.data;
  }
  const costs = await measureCosts(await vlmProbe(vlm, template));
  const profile = { key, measured: new Date().toISOString(), costs };
  if (remember) await platform.profiles.write(key, profile);
  return profile;
}

async function profileKey({ model, library, modelId }: ProfiledVlm): Promise<string> {
  const { sessions, config } = model as unknown as ModelLike;
  return await digest({
    version: VERSION,
    model: [modelId, config.model_type],
    library: library.env.version,
    machine: platform.profiles.machine(),
    sessions: Object.entries(sessions).map(([name, session]) => [name, session.config ?? null]),
  });
}

/** A setting for measured calls: an image size or a number of tiles. */
export type ProbeSize = Pick<CallSize, 'visionTokens' | 'encodedTokens' | 'images' | 'tiles' | 'allTiles'>;

/** Runs the calls that are measured. */
export interface Probe {
  /** From the smallest to the largest. */
  readonly sizes: readonly ProbeSize[];
  /**
   * @param size index of the size.
   * @param keptTokens how many of the encoded tokens to keep.
   * @param isEncoded whether the images may stay encoded from the previous call; if so, only the language model's time counts.
   */
  run(
    size: number,
    keptTokens: number,
    isEncoded: boolean,
  ): Promise<{ readonly size: CallSize; readonly times: PhaseTimes }>;
}

/** Fractions of kept tokens at which selection and the language model are measured. */
const SELECT_SHARES = [1 / 16, 1 / 3];
const PREFILL_SHARES = [1 / 32, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1];
/** Fractions of the tiles at which the encoder is measured; a single tile is measured as well. */
const TILE_SHARES = [1 / 4, 1 / 2, 3 / 4, 1];
/** Each point is measured this often, unless all calls together take longer than `ENOUGH_MS`. */
const ROUNDS = 7;
const ENOUGH_MS = 10_000;

/** A call to measure, with the phases whose times count. */
interface Point {
  readonly at: number;
  readonly share: number;
  readonly isEncoded: boolean;
}

/**
 * Measures the costs of all phases with the calls of a probe. All points are measured in turn, several times, so that a busy
 * moment does not distort any of them, with slightly fewer kept tokens each time: most calls have a prompt length that was not
 * seen before, which costs more than a repeated one.
 */
export async function measureCosts(probe: Probe): Promise<PhaseCosts> {
  const largest = probe.sizes.length - 1;
  const points: readonly Point[] = [
    ...probe.sizes.flatMap((_, at) => SELECT_SHARES.map((share) => ({ at, share, isEncoded: false }))),
    // With skipped tiles but no selection, to tell the cost of ranking tiles from the cost of selecting tokens.
    { at: 0, share: 1, isEncoded: false },
    ...PREFILL_SHARES.map((share) => ({ at: largest, share, isEncoded: true })),
  ];
  const run = ({ at, share, isEncoded }: Point, round: number): ReturnType<Probe['run']> => {
    const { encodedTokens } = probe.sizes[at] as ProbeSize;
    const fewer = share < 1 ? round : 0;
    return probe.run(at, Math.max(1, Math.round(encodedTokens * share) - fewer), isEncoded);
  };
  // The first call of a size is slower: buffers are allocated and kernels are selected.
  for (const [at] of probe.sizes.entries()) await run({ at, share: 1, isEncoded: false }, 0);
  const samples: CostSample[] = [];
  let spent = 0;
  for (let round = 0; round < ROUNDS && spent < ENOUGH_MS; round++) {
    for (const point of points) {
      const { size, times } = await run(point, round);
      spent += totalMs(times);
      samples.push({ size, times: point.isEncoded ? { prefillMs: times.prefillMs } : times });
    }
  }
  return fitCosts(samples);
}

const QUESTION = 'What can be seen here, and where is the largest object?';
/** Side length, in pixels, of the test image before it is downsized. */
const SIDE = 1024;
/** Vision token counts at which native-resolution encoders are measured. */
const RESOLUTIONS = [32, 128, 512, 1024];

/** Image inputs of one size, with the `tiles` option of the calls. */
interface ProbeInputs extends ProbeSize {
  readonly image: RawImage;
  readonly processor: Processor;
  readonly budget: CallOptions['tiles'];
}

/** A probe of a model: calls with a noise image, resized to each size. */
async function vlmProbe(vlm: ProfiledVlm, template: string | undefined): Promise<Probe> {
  const { library, handle, model, processor: own } = vlm;
  const family = prunedFamilyOf(model as unknown as ModelLike);
  const inputsOf = (processor: Processor, image: RawImage): Promise<ModelInputs> =>
    processInputs(library, processor, {
      messages: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: QUESTION }] }],
      images: [image],
      template,
      config: model.config as unknown as Readonly<Record<string, unknown>>,
      tokensPerImage: (pixels) => visionTokensPerImage(model as unknown as ModelLike, pixels),
    });
  const image = noise(library);
  const plain: { readonly image: RawImage; readonly processor: Processor }[] = [];
  if (family.tiling === undefined && canFitImages(own)) {
    for (const visionTokens of RESOLUTIONS) {
      const fitted = await fitImage(own, image, { visionTokens }).catch(() => undefined);
      if (fitted !== undefined) plain.push(fitted);
    }
  }
  if (plain.length === 0) plain.push({ image, processor: own });
  const sizes: ProbeInputs[] = [];
  for (const { image, processor } of plain) {
    const inputs = await inputsOf(processor, image);
    const { visionTokens } = await measuredCall(handle, inputs, { budget: { ratio: 1 } });
    const allTiles = tileCount(family, inputs);
    if (sizes.some((one) => one.visionTokens === visionTokens)) continue;
    for (const tiles of new Set([1, ...TILE_SHARES.map((share) => Math.ceil(allTiles * share))])) {
      const share = tiles / allTiles;
      sizes.push({
        image,
        processor,
        visionTokens,
        encodedTokens: Math.round(visionTokens * share),
        images: 1,
        tiles,
        allTiles,
        budget: tiles === allTiles ? 'all' : { share },
      });
    }
  }
  sizes.sort((a, b) => a.encodedTokens - b.encodedTokens);
  return {
    sizes,
    async run(at, keptTokens, isEncoded) {
      const { image, processor, budget, ...size } = sizes[at] as ProbeInputs;
      const started = performance.now();
      const inputs = await inputsOf(processor, image);
      const processMs = performance.now() - started;
      const report = await measuredCall(handle, inputs, {
        budget: { tokens: keptTokens },
        tiles: budget,
        minVisionTokens: 1,
        followUps: isEncoded ? 'reselect' : 'reuse',
      });
      return {
        size: { ...size, ...keptOf(report) },
        times: { processMs, ...timesOf(report) },
      };
    },
  };
}

/** The token counts of a call: kept vision tokens and text tokens. */
function keptOf({ prompts, keptTokens }: PruneReport): Pick<CallSize, 'keptTokens' | 'textTokens'> {
  const kept = prompts.reduce((sum, prompt) => sum + prompt.keptPromptTokens, 0);
  return { keptTokens, textTokens: kept - keptTokens };
}

/** The phases that a report times. */
export function timesOf({ timings }: PruneReport): Omit<PhaseTimes, 'processMs'> {
  const { encodeMs, selectMs, prefillMs } = timings;
  return { encodeMs, selectMs, prefillMs };
}

async function measuredCall(
  handle: PruneHandle,
  inputs: ModelInputs,
  options: CallOptions,
): Promise<PruneReport> {
  let report: PruneReport | undefined;
  const onReport = (one: PruneReport): void => {
    report = one;
  };
  const mmtok = { agent: false as const, costGuard: false, ...options, onReport };
  await handle.generate({ ...inputs, max_new_tokens: 1, do_sample: false, mmtok } as never);
  return report as PruneReport;
}

/** A noise image without flat regions, always the same. */
function noise({ RawImage }: Library): RawImage {
  const data = new Uint8ClampedArray(SIDE * SIDE * 3);
  const random = createRandom(1);
  for (let at = 0; at < data.length; at++) data[at] = ((at >> 9) & 127) + Math.floor(128 * random());
  return new RawImage(data, SIDE, SIDE, 3);
}
