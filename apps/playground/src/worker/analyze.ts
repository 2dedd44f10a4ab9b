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
import type { ImageInput, PruneReport, SelectFeatures, SelectRequest, Vlm } from '@mmtok/transformers';
import { nearest, normalizedRows, similarity } from '../lib/cosine.js';
import type { TileChoice } from '../lib/tiles.js';
import {
  type Analysis,
  FOCUS,
  type Owners,
  type Ranking,
  type RankingMethod,
  type TilePart,
  type Word,
} from '../lib/types.js';

/** What the main view's methods maximize. */
function coverageOf(method: RankingMethod, textTemperature: number): readonly CoverageTerm[] {
  return method === 'mmtok'
    ? [textCoverage({ temperature: textTemperature }), visionCoverage()]
    : [visionCoverage({ focus: FOCUS })];
}

/** What was computed for one image and one question. */
export interface Analyzed {
  readonly analysis: Analysis;
  readonly owners: (kept: readonly number[]) => Owners;
}

/** What to analyze. */
export interface AnalyzeInput {
  readonly image: ImageInput;
  readonly question: string;
  /** Which tiles to encode. @default 'all' */
  readonly tiles?: TileChoice | undefined;
  readonly textTemperature: number;
}

/** Encodes an image, and ranks the tokens that were encoded. */
export async function analyze(
  vlm: Vlm,
  backend: Backend,
  { image, question, tiles, textTemperature }: AnalyzeInput,
): Promise<Analyzed> {
  const { features, request, report } = await capture(vlm, { image, question, tiles });
  const parts = tilePartsOf(features, report);
  const { encoded, visionTokens } = encodedTokens(features, parts);
  const rank = async (method: RankingMethod): Promise<Ranking> => {
    const coverage = coverageOf(method, textTemperature);
    const selection = await selectTokens({
      backend,
      vision: features.vision,
      ...(features.visionFeatures && { visionFeatures: features.visionFeatures }),
      ...(features.text && { text: features.text }),
      coverage,
      constraints: { exclude: request.excluded },
      budget: { tokens: encoded.length - 1 },
    });
    return rankingOf(selection, coverage, encoded);
  };
  const vision = normalizedRows(features.vision);
  const text = features.text && normalizedRows(features.text);
  const alike = features.visionFeatures ? normalizedRows(features.visionFeatures) : vision;
  const rowOf = new Map(encoded.map((token, row) => [token, row]));
  /** One value per vision token; `null` for tokens that were not encoded. */
  const perToken = <Value>(value: (row: number) => Value): (Value | null)[] =>
    Array.from({ length: visionTokens }, (_, token) => {
      const row = rowOf.get(token);
      return row === undefined ? null : value(row);
    });
  const ids = report.prompts[0]?.question?.ids ?? [];
  const analysis: Analysis = {
    visionTokens,
    tiles: parts,
    words: ids.map(
      (id, word): Word => ({
        text: vlm.processor.tokenizer?.decode([id]).trim() ?? '',
        similarity: text ? perToken((row) => round(similarity(text, word, vision, row), 3)) : [],
      }),
    ),
    rankings: { mmtok: await rank('mmtok'), focus: await rank('focus') },
  };
  const owners = (kept: readonly number[]): Owners => {
    const rows = kept.flatMap((token) => rowOf.get(token) ?? []);
    const tokensOf = (found: readonly number[]): number[] => found.map((row) => encoded[row] as number);
    const nearestToken = tokensOf(nearest(alike, alike, rows));
    return {
      vision: perToken((row) => nearestToken[row] as number),
      words: text ? tokensOf(nearest(text, vision, rows)) : [],
    };
  };
  return { analysis, owners };
}

/** The tiles of the image with their places among its vision tokens. */
function tilePartsOf(features: SelectFeatures, report: PruneReport): readonly TilePart[] {
  const [image] = report.images;
  const tiles = image?.tiles ?? [];
  if (tiles.length !== features.tiles.length) {
    return features.tiles.map(({ start, visionTokens, grid, imagePart }) => ({
      start,
      visionTokens,
      ...(grid && { grid }),
      ...(imagePart && { imagePart }),
    }));
  }
  const columns = 1 + Math.max(0, ...tiles.map(({ imagePart }) => (isPlace(imagePart) ? imagePart[1] : 0)));
  let start = 0;
  return tiles.map(({ visionTokens, grid, imagePart, skipped }): TilePart => {
    const worth = isPlace(imagePart) ? image?.tileWorth?.[imagePart[0] * columns + imagePart[1]] : undefined;
    const part: TilePart = {
      start,
      visionTokens,
      ...(grid && { grid }),
      ...(imagePart && { imagePart }),
      ...(skipped && { isSkipped: true }),
      ...(worth !== undefined && { worth: round(worth, 3) }),
    };
    start += visionTokens;
    return part;
  });
}

const isPlace = (part: TilePart['imagePart']): part is readonly [row: number, column: number] =>
  Array.isArray(part);

/** The vision token of each row of the features: those of tiles that were not encoded are missing from them. */
function encodedTokens(
  features: SelectFeatures,
  parts: readonly TilePart[],
): { readonly encoded: readonly number[]; readonly visionTokens: number } {
  const rows = features.vision.dims[0] as number;
  const encoded = parts.flatMap(({ start, visionTokens, isSkipped }) =>
    isSkipped ? [] : Array.from({ length: visionTokens }, (_, at) => start + at),
  );
  if (encoded.length === rows) {
    return { encoded, visionTokens: parts.reduce((sum, { visionTokens }) => sum + visionTokens, 0) };
  }
  return { encoded: Array.from({ length: rows }, (_, row) => row), visionTokens: rows };
}

/** Runs one short call to see what a `select` function sees. */
async function capture(
  vlm: Vlm,
  { image, question, tiles = 'all' }: Pick<AnalyzeInput, 'image' | 'question' | 'tiles'>,
): Promise<{ features: SelectFeatures; request: SelectRequest; report: PruneReport }> {
  let seen: { features: SelectFeatures; request: SelectRequest } | undefined;
  const { report } = await vlm.ask({
    image,
    question,
    maxNewTokens: 1,
    mmtok: {
      budget: { tokens: 1 },
      minVisionTokens: 2,
      ...(tiles !== 'all' && { tiles }),
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
  return { ...seen, report };
}

/**
 * A selection of all rows but one, with that one added, as the page draws it.
 * @param encoded the vision token of each row.
 */
function rankingOf(
  selection: Selection,
  coverage: readonly CoverageTerm[],
  encoded: readonly number[],
): Ranking {
  const { order, trace, timings } = selection;
  const picked = new Set(order);
  const rest = encoded.flatMap((_, row) => (picked.has(row) ? [] : [row]));
  const weightOf = (name: string): number => coverage.find((term) => term.name === name)?.weight ?? 1;
  return {
    order: [...order, ...rest].map((row) => encoded[row] as number),
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
