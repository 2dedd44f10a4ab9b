// StackTok: MMTok's two coverages without a weight between them; at each step a rule decides which one picks.

import { cosineSimilarity, type Float32Tensor } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
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

/** The two coverages of one tile, and its picks so far. */
class Tile {
  private readonly start: number;
  private readonly relevance: Cover;
  private readonly coverage: Cover;
  /** Coverage of the first 1, 2, … picks of a search by coverage alone. */
  private readonly reference: readonly number[];
  private readonly beta: number;
  private readonly isPicked: Uint8Array;
  private picked = 0;

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
    this.relevance = new Cover(words);
    this.coverage = new Cover(patches);
    this.reference = referenceCurve(patches, k);
    this.beta = Math.min(Math.max(meanEntropy(words), BETA.low), BETA.high);
    this.isPicked = new Uint8Array(words.columns);
  }

  /** The tile's next pick: by relevance if coverage is good enough, else by coverage; by the other one if that gains nothing. */
  nominate(): Nomination {
    const isFree = (j: number): boolean => this.isPicked[j] === 0;
    if (this.picked === this.isPicked.length) return { token: -1, gain: -1 };
    const relevance = this.relevance.gains();
    const coverage = this.coverage.gains();
    const isCovered = this.coverage.value >= this.beta * (this.reference[this.picked - 1] ?? 0);
    const [first, second] = isCovered ? [relevance, coverage] : [coverage, relevance];
    const best = argMax(first, isFree);
    const token = first[best]! > 0 ? best : argMax(second, isFree);
    return { token, gain: relevance[token]! + coverage[token]! };
  }

  /** Commits a token and returns its index among the tokens of all tiles. */
  pick(token: number): number {
    this.isPicked[token] = 1;
    this.picked++;
    this.relevance.commit(token);
    this.coverage.commit(token);
    return this.start + token;
  }
}

/** Mean over targets of the highest affinity to a pick. */
class Cover {
  value = 0;
  private readonly matrix: Matrix;
  private readonly best: Float64Array;

  constructor(matrix: Matrix) {
    this.matrix = matrix;
    this.best = new Float64Array(matrix.rows);
  }

  gains(): Float64Array {
    const { data, rows, columns } = this.matrix;
    const gains = new Float64Array(columns);
    for (let i = 0; i < rows; i++) {
      const reached = this.best[i]!;
      for (let j = 0; j < columns; j++) {
        const more = data[i * columns + j]! - reached;
        if (more > 0) gains[j]! += more / rows;
      }
    }
    return gains;
  }

  commit(token: number): void {
    const { data, rows, columns } = this.matrix;
    for (let i = 0; i < rows; i++) {
      const more = data[i * columns + token]! - this.best[i]!;
      if (more <= 0) continue;
      this.best[i]! += more;
      this.value += more / rows;
    }
  }
}

function referenceCurve(patches: Matrix, k: number): number[] {
  const cover = new Cover(patches);
  const isPicked = new Uint8Array(patches.columns);
  return Array.from({ length: k }, () => {
    const token = argMax(cover.gains(), (j) => isPicked[j] === 0);
    isPicked[token] = 1;
    cover.commit(token);
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
