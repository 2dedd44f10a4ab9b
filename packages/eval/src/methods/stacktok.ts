// StackTok: MMTok's two coverages without a weight between them; at each step a rule decides which one picks.

import { cosineSimilarity, type Float32Tensor } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
import { Cover } from './cover.js';
import { argMax } from './greedy.js';
import type { Matrix } from './matrices.js';
import { defineMethod, type GivenFeatures, type GivenRequest, type Method } from './method.js';

const TEXT_TEMPERATURE = 0.02;
const VISION_TEMPERATURE = 0.2;
/** Bounds of the share of the reference coverage that must be reached before relevance may pick. */
const BETA = { low: 0.3, high: 0.9 };

/** Softmax over the candidates (columns) of cosines between targets (rows) and candidates. */
const calibrated = defineProgram({
  name: 'calibrated',
  inputs: { targets: { dims: ['m', 'd'] }, candidates: { dims: ['n', 'd'] }, temperature: { dims: [] } },
  outputs: { affinity: { dims: ['m', 'n'] } },
  build: (ops, { targets, candidates, temperature }) => ({
    affinity: ops.softmax(ops.divide(cosineSimilarity(ops, targets, candidates), temperature), 1),
  }),
});

/**
 * StackTok's selection with one budget for all tiles: each tile nominates its best token, and the one with the largest gain is
 * picked. Without the paper's optional swaps for 16 tokens or fewer.
 */
export const stacktok: Method = defineMethod({
  name: 'stacktok',
  title: 'StackTok',
  source: 'StackTok (2026)',
  needs: ['question'],
  async select(features, request) {
    const k = request.tokens;
    const stacks: Tile[] = [];
    for (const { start, visionTokens } of features.tiles) {
      if (visionTokens > 0) stacks.push(await Tile.of(features, request, start, visionTokens));
    }
    const picks: number[] = [];
    while (picks.length < k) {
      const nominations = stacks.map((tile) => tile.nominate());
      const winner = argMax(nominations.map(({ gain }) => gain));
      picks.push((stacks[winner] as Tile).pick((nominations[winner] as Nomination).token));
    }
    return picks;
  },
});

interface Nomination {
  readonly token: number;
  /** −1 once every token of the tile is picked. */
  readonly gain: number;
}

/** The two coverages of one tile, and its picks so far. Values are means over targets of the highest affinity to a pick. */
class Tile {
  private readonly start: number;
  private readonly visionTokens: number;
  private readonly relevance: Cover;
  private readonly coverage: Cover;
  /** Coverage of the first 1, 2, … picks of a search by coverage alone. */
  private readonly reference: readonly number[];
  private readonly beta: number;
  private picked = 0;
  /** Stays valid until the tile's next pick. */
  private nomination: Nomination | undefined;

  static async of(
    input: GivenFeatures,
    { tokens: k, backend }: GivenRequest,
    start: number,
    tokens: number,
  ): Promise<Tile> {
    const slice = ({ data, dims }: Float32Tensor): Float32Tensor => {
      const width = dims[1] as number;
      return float32(data.subarray(start * width, (start + tokens) * width), [tokens, width]);
    };
    const matrix = async (targets: Float32Tensor, candidates: Float32Tensor, temperature: number) => {
      const inputs = { targets, candidates, temperature: float32(Float32Array.of(temperature), []) };
      const { affinity } = await backend.run(calibrated, inputs);
      return { data: (affinity as Float32Tensor).data, rows: targets.dims[0] as number, columns: tokens };
    };
    const vision = slice(input.vision);
    const features = slice(input.visionFeatures);
    return new Tile(
      start,
      await matrix(input.text as Float32Tensor, vision, TEXT_TEMPERATURE),
      await matrix(features, features, VISION_TEMPERATURE),
      Math.min(k, tokens),
    );
  }

  private constructor(start: number, words: Matrix, patches: Matrix, k: number) {
    this.start = start;
    this.visionTokens = words.columns;
    this.relevance = meanCover(words);
    this.coverage = meanCover(patches);
    this.reference = referenceCurve(patches, k);
    this.beta = Math.min(Math.max(meanEntropy(words), BETA.low), BETA.high);
  }

  /** The tile's next pick: by relevance if coverage is good enough, else by coverage; by the other one if that gains nothing. */
  nominate(): Nomination {
    this.nomination ??= this.nominateAnew();
    return this.nomination;
  }

  private nominateAnew(): Nomination {
    if (this.picked === this.visionTokens) return { token: -1, gain: -1 };
    const { relevance, coverage } = this;
    const isCovered = coverage.value >= this.beta * (this.reference[this.picked - 1] ?? 0);
    const [first, second] = isCovered ? [relevance, coverage] : [coverage, relevance];
    const best = first.best();
    const token = first.gainOf(best) > 0 ? best : second.best();
    return { token, gain: relevance.gainOf(token) + coverage.gainOf(token) };
  }

  /** Commits a token and returns its index among the tokens of all tiles. */
  pick(token: number): number {
    this.picked++;
    this.nomination = undefined;
    this.relevance.commit(token);
    this.coverage.commit(token);
    return this.start + token;
  }
}

function meanCover(affinities: Matrix): Cover {
  return new Cover(affinities, { divisor: affinities.rows });
}

function referenceCurve(patches: Matrix, k: number): number[] {
  const cover = meanCover(patches);
  return Array.from({ length: k }, () => {
    cover.commit(cover.best());
    return cover.value;
  });
}

/** Mean entropy of the rows relative to that of a uniform row. */
function meanEntropy({ data, rows, columns }: Matrix): number {
  if (columns < 2) return 0;
  let sum = 0;
  for (const p of data) if (p > 0) sum -= p * Math.log(p);
  return sum / rows / Math.log(columns);
}
