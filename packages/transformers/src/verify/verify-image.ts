// Verifies one image: answers the same question in every way that must agree, and compares selections that must differ.

import { createReferenceBackend, selectTokens, textCoverage } from '@mmtok/core';
import { createRandom, shuffleFront } from '@mmtok/core/internal';
import { InputError } from '../errors.js';
import type { ModelInputs } from '../internal/types.js';
import { readPrompt } from '../prompt/prompt.js';
import type { ImageReport, PruneReport } from '../report.js';
import type { SelectFeatures } from '../select/by-function.js';
import { compareFeeds, compareLogits, type FeedDifference, type LogitsDifference } from './compare.js';
import { previewOf, type VerifyImage } from './images.js';
import { ShortenedReference } from './reference.js';
import type { VerifiedAnswer, VerifiedImage, VerifiedText } from './report.js';
import type { Generated, GeneratedPruned, Subject } from './subject.js';

/** What to run for each image. */
export interface ImagePlan {
  /** The share of vision tokens to keep when pruned answers are checked. */
  readonly ratio: number;
  /** More shares of vision tokens to answer with. */
  readonly shares: readonly number[];
  readonly newTokens: number;
  /** Called before every answer. */
  readonly next: (what: string) => void;
}

/** The result of keeping all tokens through the rewriting path. */
export interface KeepAllResult {
  /** Whether the prompt was rewritten at all. */
  readonly wasRewritten: boolean;
  readonly sameTokens: boolean;
  /** Index of the first token that differs. */
  readonly firstDifference: number;
  readonly feeds: FeedDifference;
}

/** The result of comparing a pruned answer with the unmodified library on the shortened prompt. */
export interface ShortenedResult {
  readonly tokens: number;
  /** Tokens that the library would have selected too. */
  readonly agreed: number;
  /** How much the logits after the prompt differ, as a share of the distance from their maximum to their median. */
  readonly promptDifference: number;
  /** The same for the worst of the later steps, which run over a cache in one case and not in the other. */
  readonly stepDifference: number;
}

/** All findings for an image. */
export interface ImageResult {
  readonly image: VerifiedImage;
  readonly report: PruneReport;
  readonly inputs: ModelInputs;
  readonly keepAll: KeepAllResult;
  readonly shortened: ShortenedResult;
  readonly isQuestion: boolean;
  readonly differs: { readonly fromRandom: boolean; readonly fromText: boolean | undefined };
  /** Whether the picks of a `select` function were kept as they were. */
  readonly isSelectHonored: boolean;
}

/** Runs everything for one image. */
export async function verifyImage(
  subject: Subject,
  { name, kind, image, question }: VerifyImage,
  { ratio, shares, newTokens, next }: ImagePlan,
): Promise<ImageResult> {
  next(`${name}: all tokens, unmodified`);
  const inputs = await subject.inputs(image, question);
  const plain = await subject.unmodified(inputs, newTokens);
  next(`${name}: all tokens, rewritten`);
  const whole = await subject.pruned(inputs, newTokens, { budget: { ratio: 1 }, paddedFrom: false });
  next(`${name}: ${percent(ratio)}`);
  const pruned = await subject.pruned(inputs, newTokens, { budget: { ratio, min: 1 } });
  next(`${name}: ${percent(ratio)}, unmodified library on the shortened prompt`);
  const shortened = await compareShortened(subject, inputs, pruned);
  next(`${name}: other selections`);
  const own = pruned.report.images[0] as ImageReport;
  const others = await otherSelections(subject, inputs, own.keptTokens);

  const answerOf = (keep: number, keptTokens: number, one: Generated): VerifiedAnswer => ({
    keep,
    keptTokens,
    text: one.text,
    sameAsAll: isSame(one.ids, plain.ids),
  });
  const answers = [answerOf(1, own.visionTokens, plain), answerOf(ratio, own.keptTokens, pruned)];
  for (const share of shares) {
    if (share === ratio || share >= 1) continue;
    next(`${name}: ${percent(share)}`);
    const one = await subject.pruned(inputs, newTokens, { budget: { ratio: share, min: 1 } });
    answers.push(answerOf(share, one.report.keptTokens, one));
  }

  const text = verifiedText(subject, pruned.report);
  const kept = new Set(own.indices);
  const sharedWith = (indices: readonly number[]): number =>
    indices.length === 0 ? 0 : indices.filter((index) => kept.has(index)).length / indices.length;
  return {
    image: {
      name,
      kind,
      question,
      width: image.width,
      height: image.height,
      preview: previewOf(image),
      visionTokens: own.visionTokens,
      keptTokens: own.keptTokens,
      tiles: own.tiles,
      ...(text && { text }),
      overlap: {
        random: sharedWith(others.random),
        expected: own.keptTokens / own.visionTokens,
        ...(others.textOnly && { textOnly: sharedWith(others.textOnly) }),
      },
      answers: answers.toSorted((a, b) => b.keep - a.keep),
    },
    report: pruned.report,
    inputs,
    keepAll: {
      wasRewritten: whole.report.images.length > 0 && whole.report.keptTokens === whole.report.visionTokens,
      sameTokens: isSame(whole.ids, plain.ids),
      firstDifference: whole.ids.findIndex((id, at) => id !== plain.ids[at]),
      feeds: compareFeeds(plain.feeds, whole.feeds),
    },
    shortened,
    isQuestion: text !== undefined && isSameText(subject, text.text, question),
    differs: {
      fromRandom: sharedWith(others.random) < 1,
      fromText: others.textOnly && sharedWith(others.textOnly) < 1,
    },
    isSelectHonored: others.isHonored,
  };
}

/** Compares each token of a pruned answer with the unmodified library on the shortened prompt. */
async function compareShortened(
  subject: Subject,
  inputs: ModelInputs,
  { ids, start, report, logits }: GeneratedPruned,
): Promise<ShortenedResult> {
  const { model, family, processor } = subject;
  const image = report.images[0] as ImageReport;
  const places =
    family.adapter.placement === 'beforeText'
      ? Array.from({ length: image.visionTokens }, (_, place) => place)
      : (readPrompt(family, model.config, inputs).placeholders[0] ?? []);
  const reference = new ShortenedReference(
    { model, family, processor },
    {
      inputs,
      places,
      keptPlaces: image.indices.map((index) => places[index] as number),
      positions: report.positions,
    },
  );
  const steps: LogitsDifference[] = [];
  for (const [at, own] of logits.entries()) {
    steps.push(compareLogits(await reference.logits([...start, ...ids.slice(0, at)]), own));
  }
  const [first, ...further] = steps.map(({ relative }) => relative);
  return {
    tokens: steps.length,
    agreed: steps.filter(({ sameChoice }) => sameChoice).length,
    promptDifference: first ?? Number.POSITIVE_INFINITY,
    stepDifference: Math.max(0, ...further),
  };
}

/** Selections to compare with, each with the same number of tokens. */
interface OtherSelections {
  readonly random: readonly number[];
  readonly textOnly?: readonly number[];
  /** Whether the random picks, passed through `select`, were kept. */
  readonly isHonored: boolean;
}

async function otherSelections(
  subject: Subject,
  inputs: ModelInputs,
  tokens: number,
): Promise<OtherSelections> {
  const seen: SelectFeatures[] = [];
  let random: number[] = [];
  const { report } = await subject.pruned(inputs, 1, {
    budget: { tokens },
    select: (given, request) => {
      seen.push(given);
      const excluded = new Set(request.excluded);
      const all = Array.from({ length: given.vision.dims[0] as number }, (_, index) => index);
      const order = Int32Array.from(all.filter((index) => !excluded.has(index)));
      shuffleFront(order, request.tokens, createRandom(1));
      random = [...order.subarray(0, request.tokens)];
      return random;
    },
  });
  const [features] = seen;
  if (features === undefined) {
    throw new InputError(
      `its images have ${report.visionTokens} vision tokens, of which ${tokens} are kept, so there is nothing to select; pass larger images`,
    );
  }
  const { vision, visionFeatures = vision, text } = features;
  const textOnly =
    text &&
    (await selectTokens({
      backend: createReferenceBackend(),
      vision,
      visionFeatures,
      coverage: [textCoverage({ temperature: subject.family.textTemperature })],
      text,
      budget: { tokens },
    }));
  return {
    random,
    ...(textOnly && { textOnly: textOnly.indices }),
    isHonored: isSame(
      report.images[0]?.indices ?? [],
      random.toSorted((a, b) => a - b),
    ),
  };
}

function verifiedText({ processor }: Subject, { prompts }: PruneReport): VerifiedText | undefined {
  const question = prompts[0]?.question;
  if (question === undefined) return undefined;
  const { source, text, words, ids } = question;
  const tokens = ids.map((id) => processor.tokenizer.decode([id], { skip_special_tokens: false }));
  return { source, text, words, ids, tokens };
}

/** Whether two texts are the same to the tokenizer, ignoring spaces. */
function isSameText({ processor: { tokenizer } }: Subject, a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => {
    const { input_ids } = tokenizer(text, { add_special_tokens: false, return_tensor: false });
    return tokenizer.decode(Array.from(input_ids, Number), { skip_special_tokens: true }).replace(/\s+/g, '');
  });
  return one === other;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}

/** A share in human-readable form. */
export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
