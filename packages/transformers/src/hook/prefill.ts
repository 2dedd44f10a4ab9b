// The heart of the package: one pass over the prompt in which images are encoded, tokens selected, and the rest removed.

import { askEarly } from '../agent/enrich-questions.js';
import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import type { VisionEntry } from '../features/vision-cache.js';
import { type VisionRows, visionRows } from '../features/vision-features.js';
import { type PositionPolicy, positionPolicy } from '../positions/policy.js';
import { locateImages } from '../prompt/locate-images.js';
import { countSlots, type PlacedImage, type Prompt, readPrompt } from '../prompt/prompt.js';
import type { PruneReason, PruneReport } from '../report/prune-report.js';
import { poolsOf } from '../select/pools.js';
import { type Chosen, selectImages } from '../select/select-images.js';
import { imageReports, keepPool } from '../select/select-pools.js';
import type { ModelInputs, TensorLike } from '../upstream/types.js';
import { encodeImages, imageInputsOf } from './encode.js';
import type { PruneCall } from './prune-call.js';
import type { Forward } from './route.js';
import { shorten } from './shorten.js';
import type { Site } from './site.js';

type Outputs = Record<string, TensorLike>;

/**
 * Processes a prompt, pruned as the call's options say, and leaves the report on the call. `inputs` are changed in
 * place, for `generate` goes on with the very object.
 */
export async function prunedPrefill(
  site: Site,
  call: PruneCall,
  inputs: ModelInputs,
  forward: Forward,
): Promise<Outputs> {
  const prompt = readPrompt(site.family, site.model.config, inputs);
  // A cache goes on as it was begun.
  const asked = call.isOff ? 'auto' : call.options.positions;
  const positions = call.sequence?.positions ?? positionPolicy(site.model, site.family, asked);
  const skip = reasonToSkip(call, inputs, prompt);
  // A model's own merge cannot serve a prompt of which some images are in the cache, or of which there are no pixels any
  // more; keeping all tokens can.
  const needsUs = inputs.pixel_values == null ? call.keptVision !== undefined : prompt.past > 0;
  const isOurs = skip === undefined || (countSlots(prompt) > 0 && needsUs);
  if (!isOurs) return await wholePrefill(site, call, inputs, forward, { prompt, positions, reason: skip });

  const encodeStarted = performance.now();
  const { entry, hit, selectStarted, vision, images, chosen } = await chooseTokens(
    site,
    call,
    inputs,
    prompt,
    skip,
  );
  const prefillStarted = performance.now();
  const { results } = chosen;
  const { projected } = entry.encoded;
  const cut = { images, results, projected, positions, before: call.sequence };
  const shortened = shorten(site, inputs, prompt, cut);
  const imageInputs = { ...call.keptVision?.imageInputs, ...imageInputsOf(site, inputs) };
  const outputs = await site.family.route.prefill(site.model, forward, shortened.prompt);
  Object.assign(inputs, shortened.carried);
  // Without these the model rebuilds the mask of every further step as all ones, which would unmask left padding.
  for (const name of site.family.route.imageInputs) delete inputs[name];
  call.sequence = {
    ...shortened.sequence,
    ...(call.options.turns === 'reselect' && { vision: entry, imageInputs }),
  };
  const ended = performance.now();

  const reports = imageReports(images, results, vision);
  const main = reports.find((one) => one.tokensAfter < one.tokensBefore) ?? reports[0];
  const { columns } = shortened.prompt;
  call.report = {
    reason: main?.reason ?? 'noImage',
    tokensBefore: reports.reduce((sum, one) => sum + one.tokensBefore, 0),
    tokensAfter: reports.reduce((sum, one) => sum + one.tokensAfter, 0),
    images: reports,
    rows: lengthsOf(prompt).map((promptBefore, row) => ({
      ...(chosen.questions[row] && { question: chosen.questions[row] }),
      ...(chosen.agents?.reports[row] && { agent: chosen.agents.reports[row] }),
      promptBefore,
      promptAfter: columns[row]?.filter((column) => column >= 0).length ?? 0,
    })),
    ...(chosen.questions.length > 0 && { visionFeatureSource: vision.source }),
    standardised: chosen.standardised,
    positions,
    timings: {
      encodeMs: hit ? 0 : selectStarted - encodeStarted,
      ...(chosen.agents && { agentMs: chosen.agents.waitMs }),
      selectMs: prefillStarted - selectStarted - (chosen.agents?.waitMs ?? 0),
      prefillMs: ended - prefillStarted,
      decodeMs: 0,
    },
    notes: [...vision.notes, ...chosen.notes],
  };
  return outputs;
}

/** The encoded images of a prompt, and what is to stay of them. */
interface ChosenTokens {
  readonly entry: VisionEntry;
  /** Whether the encoder did not have to run. */
  readonly hit: boolean;
  readonly selectStarted: number;
  readonly vision: VisionRows;
  readonly images: readonly PlacedImage[];
  readonly chosen: Chosen;
}

/** Encodes the images and selects among their tokens; keeps all where there is a reason to. */
async function chooseTokens(
  site: Site,
  call: PruneCall,
  inputs: ModelInputs,
  prompt: Prompt,
  skip: PruneReason | undefined,
): Promise<ChosenTokens> {
  const { options } = call;
  const ended = new AbortController();
  try {
    const early = skip === undefined ? askEarly(site, options, prompt, ended.signal) : undefined;
    const { entry, hit } = await encodeImages(site, call, inputs);
    const selectStarted = performance.now();
    const vision = visionRows(entry.encoded, options.visionFeatures, options.featureOutput);
    const images = locateImages(site, call, inputs, prompt, entry.encoded);
    const pools = poolsOf(images, options.allocation, options.budgets, prompt);
    const chosen: Chosen =
      skip === undefined
        ? await selectImages(site, options, prompt, { vision, images, pools, entry, early })
        : {
            results: pools.map((pool) => keepPool(pool, skip)),
            questions: [],
            standardised: false,
            notes: [],
          };
    return { entry, hit, selectStarted, vision, images, chosen };
  } finally {
    // An agent that was asked early may be at work still, where its answer came to be of no use.
    ended.abort(new Error('the call goes on without the agent'));
  }
}

function reasonToSkip(call: PruneCall, inputs: ModelInputs, prompt: Prompt): PruneReason | undefined {
  if (call.isOff) return 'disabled';
  const slots = countSlots(prompt);
  if (slots === 0) {
    const isCached = call.sequence !== undefined || call.cachedSlots.some((count) => count > 0);
    return isCached ? 'frozen' : 'noImage';
  }
  if (inputs.input_features != null) return 'hasAudio';
  if (inputs.pixel_values == null && call.keptVision === undefined) {
    throw new PromptMismatchError(
      `the prompt has ${slots} image placeholders, but there are no pixel_values; pass all that the processor returned`,
    );
  }
  return prompt.slots.every((row) => row.length < call.options.minVisionTokens)
    ? 'belowMinVisionTokens'
    : undefined;
}

/** New tokens of each row, without padding. */
function lengthsOf({ textTokens, slots }: Prompt): number[] {
  return textTokens.map((text, row) => text + (slots[row]?.length ?? 0));
}

interface WholePrompt {
  readonly prompt: Prompt;
  readonly positions: PositionPolicy;
  readonly reason: PruneReason;
}

/** Hands a prompt on as it is. */
async function wholePrefill(
  site: Site,
  call: PruneCall,
  inputs: ModelInputs,
  forward: Forward,
  { prompt, positions, reason }: WholePrompt,
): Promise<Outputs> {
  const { imageInputs } = site.family.route;
  const started = performance.now();
  const slots = countSlots(prompt);
  if (reason === 'frozen') {
    for (const name of imageInputs) delete inputs[name];
    Object.assign(inputs, site.family.route.textOnly?.(prompt.tensor));
  }
  const outputs = await forward({ ...inputs });
  if (!call.isOff) for (const name of imageInputs) delete inputs[name];
  const prefillMs = performance.now() - started;
  call.report = wholeReport({ reason, slots, lengths: lengthsOf(prompt), positions, prefillMs });
  return outputs;
}

/** The report of a prompt that was handed on as it is. */
export function wholeReport(facts: {
  readonly reason: PruneReason;
  readonly slots: number;
  readonly lengths: readonly number[];
  readonly positions: PositionPolicy;
  readonly prefillMs: number;
}): PruneReport {
  const { reason, slots, lengths, positions, prefillMs } = facts;
  return {
    reason,
    tokensBefore: slots,
    tokensAfter: slots,
    images: [],
    rows: lengths.map((length) => ({ promptBefore: length, promptAfter: length })),
    standardised: false,
    positions,
    timings: { encodeMs: 0, selectMs: 0, prefillMs, decodeMs: 0 },
    notes: [],
  };
}
