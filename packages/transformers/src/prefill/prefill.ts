// The core of the package: takes a batch of prompts with images and runs the language model on fewer vision tokens.
// Each stage takes values and returns values: read the prompt, encode the images, group their tokens into pools, resolve
// the question, select, shorten, and run the language model.

import type { Backend } from '@mmtok/core';
import { sum } from '@mmtok/core/internal';
import type { EncodedVision, Forward } from '../adapters/adapter.js';
import { PromptMismatchError } from '../errors.js';
import type { PrunedModel } from '../families/family.js';
import { withTimedSession } from '../internal/session.js';
import { type ModelInputs, numberAt, section, type TensorLike, tensorAt } from '../internal/types.js';
import type { ResolvedOptions } from '../options.js';
import { locateImages, maskedRows, type PlacedImage } from '../prompt/images.js';
import { packPrompt } from '../prompt/packed.js';
import { positionPolicy } from '../prompt/positions.js';
import { countPlaceholders, type Prompt, readPrompt, withVisionBefore } from '../prompt/prompt.js';
import { askEarly, type ResolvedQuestions, resolveQuestions } from '../question/ask-agent.js';
import type { PositionPolicy, PruneReason, PruneReport, SelectionCost } from '../report.js';
import { guardCost } from '../select/cost-guard.js';
import { excludedRows, shownSizes, type VisionRows, visionRows } from '../select/features.js';
import { poolsOf } from '../select/pools.js';
import {
  imageReports,
  keepPool,
  keptRows,
  keptWhole,
  type PoolResult,
  selectPools,
} from '../select/select.js';
import {
  type EarlierImages,
  type EncodedImages,
  type EncodedImagesCache,
  encodeImages,
  imageInputsOf,
} from './encode.js';
import { type ShortenedSequence, shorten } from './shorten.js';
import { encodeUsefulTiles } from './tiles.js';

/** What all calls on a pruned model share. */
export interface PrefillContext extends PrunedModel {
  /** Where similarities are computed. */
  readonly backend: () => Promise<Backend>;
  readonly encodedImages: EncodedImagesCache;
}

/** Where a prompt starts: from scratch, or over a cache. */
export interface PromptStart {
  /** The sequence in the cache, if it was shortened. */
  readonly sequence?: ShortenedSequence | undefined;
  /** Placeholders of each prompt that are already in the cache. */
  readonly cachedPlaceholders: readonly number[];
  /** Images encoded in an earlier turn whose prompt is processed again. */
  readonly earlier?: EarlierImages | undefined;
}

/** One call. */
export interface PrefillRequest {
  readonly options: ResolvedOptions;
  /** `mmtok: false`: measure, but leave the prompt unchanged. */
  readonly isOff: boolean;
  readonly start: PromptStart;
  readonly inputs: ModelInputs;
  /** `[height, width]` of each image before padding, if the processor reports it. */
  readonly reshapedSizes?: unknown;
}

/** The result of processing a prompt. */
export interface Prefilled {
  readonly outputs: Record<string, TensorLike>;
  /** Inputs that later steps continue with. */
  readonly carried: ModelInputs;
  /** Names of inputs that must be removed before later steps. */
  readonly dropped: readonly string[];
  /** The sequence now in the cache, if it was shortened. */
  readonly sequence?: ShortenedSequence | undefined;
  /** The encoded images, if later turns may select again. */
  readonly images?: EarlierImages | undefined;
  readonly report: PruneReport;
}

/** Processes a prompt and prunes it according to the options. */
export async function prefill(
  context: PrefillContext,
  request: PrefillRequest,
  forward: Forward,
): Promise<Prefilled> {
  const { inputs, options, isOff, start } = request;
  const { model, family } = context;
  const prompt = readPrompt(family, model.config, inputs);
  // A cache continues with the position policy it was started with.
  const policy = start.sequence?.policy ?? positionPolicy(context, isOff ? 'auto' : options.positions);
  const skip = reasonToSkip(context, request, prompt);
  // A model's own merge cannot process a prompt when some of its images are in the cache, when the pixels are gone, or when
  // it cannot pack the tiles. Keeping all tokens works in these cases.
  const needsUs =
    inputs.pixel_values == null
      ? start.earlier !== undefined
      : prompt.past > 0 || family.packing !== undefined;
  if (skip !== undefined && !(countPlaceholders(prompt) > 0 && needsUs)) {
    return await prefillWhole(context, request, forward, { prompt, policy, reason: skip });
  }

  const encodeStarted = performance.now();
  const chosen = await chooseTokens(context, request, prompt, skip);
  const prefillStarted = performance.now();
  const { images, results, vision, questions } = chosen;
  const { adapter } = family;
  const cut = shorten(context, inputs, chosen.prompt, {
    images,
    keptRows: keptRows(images, results),
    projected: chosen.earlier.images.encoded.projected,
    policy,
    width: prompt.ids[0]?.length ?? 0,
    before: start.sequence,
  });
  const outputs = await adapter.prefill(model, forward, cut.prompt);
  const ended = performance.now();

  const reports = imageReports(images, results, vision.saliency, chosen.earlier.images);
  const main = reports.find((one) => one.keptTokens < one.visionTokens) ?? reports[0];
  return {
    outputs,
    carried: cut.carried,
    // With these, the model would rebuild the mask of every later step as all ones, which would unmask left padding.
    dropped: adapter.imageInputs,
    sequence: cut.sequence,
    images: options.followUps === 'reselect' ? chosen.earlier : undefined,
    report: {
      reason: main?.reason ?? 'noImage',
      visionTokens: sum(reports.map((one) => one.visionTokens)),
      keptTokens: sum(reports.map((one) => one.keptTokens)),
      images: reports,
      prompts: lengthsOf(family.packing === undefined ? chosen.prompt : prompt).map(
        (promptTokens, batchIndex) => {
          const question = questions?.questions[batchIndex];
          const agent = questions?.agents?.[batchIndex];
          return {
            ...(question && { question }),
            ...(agent && { agent }),
            promptTokens,
            keptPromptTokens: cut.lengths[batchIndex] as number,
          };
        },
      ),
      ...(questions && { visionFeatureSource: vision.source }),
      ...(chosen.cost && { selectionCost: chosen.cost }),
      standardized: chosen.standardized,
      positions: policy,
      timings: {
        encodeMs: chosen.hit ? 0 : chosen.encodeEnded - encodeStarted - chosen.rankMs,
        ...(questions?.agents && { agentMs: questions.agentMs }),
        selectMs: chosen.rankMs + prefillStarted - chosen.encodeEnded - (questions?.agentMs ?? 0),
        prefillMs: ended - prefillStarted,
        firstTokenMs: ended - (chosen.hit ? chosen.encodeEnded - chosen.rankMs : encodeStarted),
        decodeMs: 0,
      },
      notes: [...vision.notes, ...chosen.notes],
    },
  };
}

/** Why a prompt is not pruned; `undefined` if it is. */
function reasonToSkip(
  { family }: PrefillContext,
  { inputs, options, isOff, start }: PrefillRequest,
  prompt: Prompt,
): PruneReason | undefined {
  if (isOff) return 'disabled';
  const hasPixels = inputs.pixel_values != null || start.earlier !== undefined;
  // The number of vision tokens is known only after the encoder has run.
  if (family.adapter.placement === 'beforeText') return hasPixels ? undefined : 'noImage';
  const placeholders = countPlaceholders(prompt);
  if (placeholders === 0) {
    const isCached = start.sequence !== undefined || start.cachedPlaceholders.some((count) => count > 0);
    return isCached ? 'cached' : 'noImage';
  }
  if (inputs.input_features != null) return 'hasAudio';
  if (!hasPixels) {
    throw new PromptMismatchError(
      `the prompt has ${placeholders} image placeholders, but there are no pixel_values; pass everything that the processor returned`,
    );
  }
  return prompt.visionTokens.every((count) => count < options.minVisionTokens)
    ? 'belowMinVisionTokens'
    : undefined;
}

/** The encoded images of a prompt, and which of their tokens are kept. */
interface ChosenTokens {
  /** The prompt with a position for every vision token. */
  readonly prompt: Prompt;
  readonly earlier: EarlierImages;
  /** Whether the encoder did not have to run. */
  readonly hit: boolean;
  readonly encodeEnded: number;
  /** The part of the encoding time spent on selecting tiles. */
  readonly rankMs: number;
  readonly vision: VisionRows;
  readonly images: readonly PlacedImage[];
  readonly results: readonly PoolResult[];
  /** Absent if nothing had to be selected. */
  readonly questions: ResolvedQuestions | undefined;
  /** The forecast; absent if none was made. */
  readonly cost?: SelectionCost | undefined;
  readonly standardized: boolean;
  readonly notes: readonly string[];
}

/** Encodes the images and selects among their tokens; keeps all of them if there is a reason to. */
async function chooseTokens(
  context: PrefillContext,
  { options, start, inputs, reshapedSizes }: PrefillRequest,
  given: Prompt,
  skip: PruneReason | undefined,
): Promise<ChosenTokens> {
  const { family, model } = context;
  const ended = new AbortController();
  try {
    const early = skip === undefined ? askEarly(context, options, given, ended.signal) : undefined;
    const {
      images: encodedImages,
      hit,
      rankMs,
    } = await encode(context, { options, start, inputs }, given, skip);
    const encodeEnded = performance.now();
    const { encoded, prepared, skipped } = encodedImages;
    const described = { ...start.earlier?.inputs, ...imageInputsOf(context, inputs) };
    const earlier = { images: encodedImages, inputs: described };
    const vision = visionRows(
      encoded,
      options.visionFeatures,
      options.featureOutput,
      options.select !== undefined,
    );
    const { prompt, images } = placed(context, start, inputs, given, encoded);
    const pools = poolsOf(images, maskedRows(prompt, images), skipped, options, prompt);
    const side = numberAt(section(model.config, 'vision_config'), 'image_size');
    const reported = shownSizes(reshapedSizes, tensorAt(inputs, 'pixel_values'));
    const excluded = excludedRows(images, options, side, reported);
    const whole = pools.map((pool) =>
      skip === undefined
        ? keptWhole(pool, options, prompt.visionTokens[pool.batchIndex] as number, excluded)
        : keepPool(pool, skip),
    );
    const common = { prompt, earlier, hit, rankMs, encodeEnded, vision, images };
    const settled = whole.filter((result) => result !== undefined);
    if (settled.length === pools.length) {
      return { ...common, results: settled, questions: undefined, standardized: false, notes: [] };
    }
    const backend = await context.backend();
    // The cost of a caller's own function is unknown, and skipped tiles leave tokens that must not be kept.
    const isGuarded = options.select === undefined && excluded.size === 0;
    const guarded = isGuarded
      ? guardCost(
          pools.filter((_, at) => whole[at] === undefined),
          vision,
          options,
          { model, device: backend.device },
        )
      : { vision, notes: [] };
    const { cost } = guarded;
    if (cost?.action === 'keptAll') {
      const results = pools.map((pool, at) => whole[at] ?? keepPool(pool, 'costsMore'));
      return { ...common, cost, results, questions: undefined, standardized: false, notes: guarded.notes };
    }
    const about = { images, vision: vision.projected, backend, early };
    const questions = await resolveQuestions(context, options, prompt, about);
    const selected = await selectPools(pools, whole, {
      settings: options,
      backend,
      textTemperature: family.textTemperature,
      vision: guarded.vision,
      questions: questions.questions,
      texts: questions.texts,
      excluded,
      prepared,
    });
    const notes = [...guarded.notes, ...selected.notes, ...questions.notes];
    return { ...common, ...selected, vision: guarded.vision, cost, questions, notes };
  } finally {
    // An agent that was asked early may still be running when its answer is no longer needed.
    ended.abort(new Error('the call continues without the agent'));
  }
}

/** Returns the prompt with a position for every vision token, and its images at those positions. */
function placed(
  context: PrefillContext,
  { earlier, cachedPlaceholders }: PromptStart,
  inputs: ModelInputs,
  given: Prompt,
  { projected }: EncodedVision,
): { readonly prompt: Prompt; readonly images: readonly PlacedImage[] } {
  const { family, model } = context;
  const shown = { ...earlier?.inputs, ...inputs };
  if (family.packing !== undefined)
    return packPrompt(given, family.packing(model.config, shown), cachedPlaceholders);
  const prompt =
    family.adapter.placement === 'beforeText' ? withVisionBefore(given, projected.dims.at(-2) ?? 0) : given;
  return { prompt, images: locateImages(context, cachedPlaceholders, shown, prompt, projected) };
}

/** Encodes the images: all tiles, or only the most useful ones. */
async function encode(
  context: PrefillContext,
  { options, start, inputs }: Pick<PrefillRequest, 'options' | 'start' | 'inputs'>,
  prompt: Prompt,
  skip: PruneReason | undefined,
): Promise<{ readonly images: EncodedImages; readonly hit: boolean; readonly rankMs: number }> {
  const cache = options.followUps === 'reselect' ? context.encodedImages : undefined;
  let hit = true;
  const part = async (some: ModelInputs): Promise<EncodedVision> => {
    // The overviews and the other tiles are encoded separately, so each is half an entry.
    const encoded = await encodeImages(context, some, undefined, cache, 1 / 2);
    hit &&= encoded.hit;
    return encoded.images.encoded;
  };
  const tiles =
    skip === undefined && inputs.pixel_values != null
      ? await encodeUsefulTiles(context, options, inputs, prompt, context.backend, part)
      : undefined;
  if (tiles !== undefined) {
    const { rankMs, ...encoded } = tiles;
    return { images: { ...encoded, prepared: undefined }, hit, rankMs };
  }
  return { ...(await encodeImages(context, inputs, start.earlier, cache)), rankMs: 0 };
}

/** Tokens of each prompt, without padding. */
function lengthsOf({ textTokens, visionTokens }: Prompt): number[] {
  return textTokens.map((text, batchIndex) => text + (visionTokens[batchIndex] as number));
}

/** Processes a prompt unchanged. */
async function prefillWhole(
  { model, family: { adapter } }: PrefillContext,
  { inputs, isOff }: PrefillRequest,
  forward: Forward,
  {
    prompt,
    policy,
    reason,
  }: { readonly prompt: Prompt; readonly policy: PositionPolicy; readonly reason: PruneReason },
): Promise<Prefilled> {
  const isCached = reason === 'cached';
  const given: ModelInputs = { ...inputs };
  if (isCached) {
    for (const name of adapter.imageInputs) delete given[name];
    Object.assign(given, adapter.textOnly?.(prompt.tensor));
  }
  let encodeMs = 0;
  const timed = withTimedSession(model, adapter.encoder, (ms) => {
    encodeMs += ms;
  });
  const started = performance.now();
  const outputs = await forward(given, given.pixel_values == null || isCached ? model : timed);
  const prefillMs = performance.now() - started - encodeMs;
  const visionTokens = sum(prompt.visionTokens);
  return {
    outputs,
    carried: {},
    dropped: isOff ? [] : adapter.imageInputs,
    report: {
      reason,
      visionTokens,
      keptTokens: visionTokens,
      images: [],
      prompts: lengthsOf(prompt).map((length) => ({ promptTokens: length, keptPromptTokens: length })),
      standardized: false,
      positions: policy,
      timings: { encodeMs, selectMs: 0, prefillMs, firstTokenMs: encodeMs + prefillMs, decodeMs: 0 },
      notes: [],
    },
  };
}
