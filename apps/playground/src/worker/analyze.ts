// Ranks the vision tokens of one image for one question. The features are those that `prune` hands to a `select`
// function; the rankings run over all tokens, so that every smaller choice is a prefix of them.

import {
  type Backend,
  type CoverageTerm,
  type Selection,
  selectTokens,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
import type { ImageInput, SelectFeatures, SelectRequest, Vlm } from '@mmtok/transformers';
import { nearest, normalizedRows, similarity } from '../lib/cosine.js';
import type { Analysis, Owners, Ranking, RankingMethod, Word } from '../lib/types.js';

/** What the main view's methods maximize. */
export function coverageOf(method: RankingMethod, textTemperature: number): readonly CoverageTerm[] {
  return method === 'mmtok'
    ? [textCoverage({ temperature: textTemperature }), visionCoverage()]
    : [visionCoverage({ focus: 4 })];
}

/** What was computed for one image and one question. */
export interface Analyzed {
  readonly analysis: Analysis;
  readonly owners: (kept: readonly number[]) => Owners;
}

/** Encodes an image, and ranks its tokens. */
export async function analyze(
  vlm: Vlm,
  backend: Backend,
  { image, question, textTemperature }: { image: ImageInput; question: string; textTemperature: number },
): Promise<Analyzed> {
  const { features, request, ids } = await capture(vlm, image, question);
  const visionTokens = features.vision.dims[0] as number;
  const rank = async (method: RankingMethod): Promise<Ranking> => {
    const coverage = coverageOf(method, textTemperature);
    const selection = await selectTokens({
      backend,
      vision: features.vision,
      ...(features.visionFeatures && { visionFeatures: features.visionFeatures }),
      ...(features.text && { text: features.text }),
      coverage,
      constraints: { exclude: request.excluded },
      budget: { tokens: visionTokens - 1 },
    });
    return rankingOf(selection, coverage, visionTokens);
  };
  const vision = normalizedRows(features.vision);
  const text = features.text && normalizedRows(features.text);
  const alike = features.visionFeatures ? normalizedRows(features.visionFeatures) : vision;
  const analysis: Analysis = {
    visionTokens,
    tiles: features.tiles.map(({ start, visionTokens: count, grid, imagePart }) => ({
      start,
      visionTokens: count,
      ...(grid && { grid }),
      ...(imagePart && { imagePart }),
    })),
    words: ids.map(
      (id, word): Word => ({
        text: vlm.processor.tokenizer?.decode([id]).trim() ?? '',
        similarity: text
          ? Array.from({ length: visionTokens }, (_, token) =>
              round(similarity(text, word, vision, token), 3),
            )
          : [],
      }),
    ),
    rankings: { mmtok: await rank('mmtok'), focus: await rank('focus') },
  };
  const owners = (kept: readonly number[]): Owners => ({
    vision: nearest(alike, alike, kept),
    words: text ? nearest(text, vision, kept) : [],
  });
  return { analysis, owners };
}

/** Runs one short call to see what a `select` function sees. */
async function capture(
  vlm: Vlm,
  image: ImageInput,
  question: string,
): Promise<{ features: SelectFeatures; request: SelectRequest; ids: readonly number[] }> {
  let seen: { features: SelectFeatures; request: SelectRequest } | undefined;
  const { report } = await vlm.ask({
    image,
    question,
    maxNewTokens: 1,
    mmtok: {
      budget: { tokens: 1 },
      minVisionTokens: 2,
      select(features, request) {
        const free = Array.from({ length: features.vision.dims[0] as number }, (_, token) => token).filter(
          (token) => !request.excluded.includes(token),
        );
        // The call goes on while these are read, so they are copied.
        seen = { features: structuredClone(features), request: structuredClone(request) };
        return free.slice(0, request.tokens);
      },
    },
  });
  if (seen === undefined)
    throw new Error(`This image has too few vision tokens to choose from (${report.reason}).`);
  return { ...seen, ids: report.prompts[0]?.question?.ids ?? [] };
}

/** A selection of all tokens but one, with that one added, as the page draws it. */
function rankingOf(selection: Selection, coverage: readonly CoverageTerm[], visionTokens: number): Ranking {
  const { order, trace, timings } = selection;
  const picked = new Set(order);
  const rest = Array.from({ length: visionTokens }, (_, token) => token).filter(
    (token) => !picked.has(token),
  );
  const weightOf = (name: string): number => coverage.find((term) => term.name === name)?.weight ?? 1;
  return {
    order: [...order, ...rest],
    gains: Object.fromEntries(
      trace.terms.map(({ name, added }) => [name, added.map((gain) => round(gain * weightOf(name), 5))]),
    ),
    coverage: Object.fromEntries(
      trace.terms.map(({ name, full, added }) => {
        let sum = 0;
        const shares = added.map((gain) => {
          sum += gain;
          return round(full > 0 ? Math.min(1, sum / full) : 1, 4);
        });
        return [name, shares];
      }),
    ),
    selectMs: timings.totalMs,
  };
}

const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;
