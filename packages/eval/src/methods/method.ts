// The interface of pruning methods, and defineMethod, which checks what a method gets and returns. A method is a function for the
// option `select` of @mmtok/transformers, with a name, a source and its needs.

import { type Backend, createReferenceBackend, type Float32Tensor } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { gatherRows, parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { MethodError } from '../errors.js';

/** A tile of an image: its vision tokens are `start … start + visionTokens`. */
export interface MethodTile {
  readonly start: number;
  readonly visionTokens: number;
  /** `[rows, columns]` of its tokens, if they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** Positions of vision tokens in the language model, if kept tokens keep their positions in the full prompt. */
export interface TokenPositions {
  /** For each position axis (one, or three with mRoPE) the position of each token. */
  readonly ids: readonly ArrayLike<number>[];
  /** Rotary frequencies θ_d: dimension pair d of the token at position p is rotated by p · θ_d. */
  readonly frequencies: ArrayLike<number>;
}

/** What a method chooses from: the features of one image, and one question. */
export interface MethodFeatures {
  /** `[n, D]`: the vision tokens as the language model gets them. */
  readonly vision: Float32Tensor;
  /** `[n, d]`: the features before the projector. @default the vision tokens */
  readonly visionFeatures?: Float32Tensor;
  /**
   * `[m, D]`: input embeddings of the question's tokens and, for methods with an agent, of the words it added. Absent if there are
   * none.
   */
  readonly text?: Float32Tensor;
  /** n numbers ≥ 0, e.g. the attention of the encoder's class token to each vision token. */
  readonly saliency?: Float32Array;
  /** `[rows, columns]`, if all vision tokens form one grid in raster order. */
  readonly grid?: readonly [rows: number, columns: number];
  /** The tiles of the tokens, in order. @default one */
  readonly tiles?: readonly MethodTile[];
  /** Absent if the model renumbers kept tokens, or does not expose positions. */
  readonly positions?: TokenPositions;
}

/** A request to a method. */
export interface MethodRequest {
  /** Number of tokens to keep, from 1 to the number of eligible ones. */
  readonly tokens: number;
  /** Tokens that must not be kept. They are hidden from the method. @default none */
  readonly excluded?: readonly number[];
  /** Where similarities are computed. @default the reference backend in plain JavaScript */
  readonly backend?: Backend;
  /** Seed of random methods: the same for the same run, image and question. @default 0 */
  readonly seed?: number;
}

/**
 * What a method needs besides vision tokens: the question's text, saliency, preserved positions, or a processor that produces fewer
 * vision tokens for a smaller image.
 */
export type MethodNeed = 'question' | 'saliency' | 'positions' | 'resolution';

/** All needs. */
export const METHOD_NEEDS: readonly MethodNeed[] = ['question', 'saliency', 'positions', 'resolution'];

/** Who answers a question before the method runs: a model, or an oracle that knows the right answer. */
export type AgentRole = 'agent' | 'oracle';

/** A pruning method. Make one with `defineMethod`, which checks its inputs and outputs. */
export interface Method {
  /** Kebab-case, e.g. `'divprune'`: the name in records, reports and on the command line. */
  readonly name: string;
  /** Human-readable, e.g. `'DivPrune'`. */
  readonly title: string;
  /** Where the method is described: a URL, or a title. */
  readonly source: string;
  /** Empty if vision tokens are enough. */
  readonly needs: readonly MethodNeed[];
  /** Whose words are added to the question in `text`. Absent: only the question. */
  readonly agent?: AgentRole;
  /**
   * Makes the image smaller before it is encoded, so that it costs at most as many vision tokens as other methods keep. `select` is
   * not called.
   */
  readonly resizes?: true;
  /**
   * Picks `request.tokens` of the n vision tokens: distinct indices in the order they were picked.
   * @example
   * prune(model, { processor, budget: { ratio: 0.1 }, select: divprune.select });
   */
  readonly select: (features: MethodFeatures, request: MethodRequest) => Promise<readonly number[]>;
}

/** A method's needs in words: `features only`, or `question, saliency`. */
export function needsInWords({ needs }: { readonly needs: readonly string[] }): string {
  return needs.length === 0 ? 'features only' : needs.join(', ');
}

// Turns a definition into a method that checks the inputs and the result of every call.

/** Features as a definition gets them: only eligible tokens, with defaults filled in. */
export interface GivenFeatures extends MethodFeatures {
  readonly visionFeatures: Float32Tensor;
  readonly tiles: readonly MethodTile[];
}

/** A request as a definition gets it. */
export type GivenRequest = Required<Omit<MethodRequest, 'excluded'>>;

/** The definition of a method, for {@link defineMethod}. */
export interface MethodDefinition {
  /** Kebab-case: letters, digits and dashes. */
  readonly name: string;
  /** @default the name */
  readonly title?: string;
  /** Where the method is described. */
  readonly source: string;
  /** @default nothing besides the vision tokens */
  readonly needs?: readonly MethodNeed[];
  /** See {@link Method.agent}. */
  readonly agent?: AgentRole;
  /** Picks `request.tokens` tokens, see {@link Method.select}. */
  readonly select: (
    features: GivenFeatures,
    request: GivenRequest,
  ) => readonly number[] | Promise<readonly number[]>;
}

const schema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "expected kebab-case such as 'my-method'"),
  title: z.string().min(1).optional(),
  source: z.string().min(1, "expected the method's source, e.g. a URL"),
  needs: z.array(z.enum(METHOD_NEEDS)).optional(),
  agent: z.enum(['agent', 'oracle']).optional(),
  select: z.custom<MethodDefinition['select']>((value) => typeof value === 'function', 'expected a function'),
});

/** The feature for each need, and why a model may lack it. */
const SUPPLY: Readonly<
  Record<Exclude<MethodNeed, 'resolution'>, readonly [feature: keyof MethodFeatures, how: string]>
> = {
  question: ['text', 'there is no question text'],
  saliency: ['saliency', 'its encoder has no output vision_saliency'],
  positions: ['positions', 'it does not keep the positions of the full prompt, or does not expose them'],
};

/**
 * Defines your own pruning method, which the runner takes alongside the built-in ones.
 *
 * @example
 * const first = defineMethod({
 *   name: 'first',
 *   source: 'https://example.org/first',
 *   select: (_features, { tokens }) => Array.from({ length: tokens }, (_, token) => token),
 * });
 * @throws InvalidOptionsError for an invalid definition. The method's `select` throws MethodError if a need is not met, if `tokens`
 * is not an integer from 1 to the number of eligible tokens, or if the definition returns anything but `tokens` distinct
 * indices.
 */
export function defineMethod(definition: MethodDefinition): Method {
  const {
    name,
    title = name,
    source,
    needs = [],
    agent,
  } = parseOptions('definition of a method', schema, definition);
  return {
    name,
    title,
    source,
    needs,
    ...(agent && { agent }),
    async select(features, request) {
      for (const need of needs) {
        if (need === 'resolution') continue;
        const [feature, how] = SUPPLY[need];
        if (features[feature] === undefined)
          throw new MethodError(
            name,
            `it needs ${need}, which the model or the question does not provide: ${how}`,
          );
      }
      const n = features.vision.dims[0] as number;
      const { tokens, excluded = [], backend = createReferenceBackend(), seed = 0 } = request;
      const eligible = eligibleTokens(n, excluded);
      if (!Number.isInteger(tokens) || tokens < 1 || tokens > eligible.length) {
        throw new MethodError(
          name,
          `expected to keep an integer from 1 to ${eligible.length} tokens, got ${tokens}`,
        );
      }
      const given = only(features, eligible);
      const picks = await definition.select(given, { tokens, backend, seed });
      return checkPicks(name, picks, eligible.length, tokens).map((pick) => eligible[pick] as number);
    },
  };
}

function eligibleTokens(n: number, excluded: readonly number[]): number[] {
  const barred = new Set(excluded);
  return Array.from({ length: n }, (_, token) => token).filter((token) => !barred.has(token));
}

/** The features of some tokens, in ascending order; without a grid unless they are all. */
function only(features: MethodFeatures, tokens: readonly number[]): GivenFeatures {
  const { vision, visionFeatures = vision, saliency, positions, grid, ...rest } = features;
  const n = vision.dims[0] as number;
  const tiles = features.tiles ?? [{ start: 0, visionTokens: n, ...(grid && { grid }) }];
  if (tokens.length === n) return { ...features, visionFeatures, tiles };
  const rows = ({ data, dims }: Float32Tensor): Float32Tensor =>
    float32(gatherRows(data, dims[1] as number, tokens), [tokens.length, dims[1] as number]);
  return {
    ...rest,
    vision: rows(vision),
    visionFeatures: rows(visionFeatures),
    ...(saliency && { saliency: Float32Array.from(tokens, (token) => saliency[token] as number) }),
    ...(positions && {
      positions: {
        ...positions,
        ids: positions.ids.map((axis) => tokens.map((token) => axis[token] as number)),
      },
    }),
    tiles: tilesOf(tiles, tokens),
  };
}

function tilesOf(tiles: readonly MethodTile[], tokens: readonly number[]): MethodTile[] {
  let start = 0;
  return tiles.map((tile) => {
    const count = tokens.filter(
      (token) => token >= tile.start && token < tile.start + tile.visionTokens,
    ).length;
    const own = { start, visionTokens: count };
    start += count;
    return count === tile.visionTokens && tile.grid ? { ...own, grid: tile.grid } : own;
  });
}

/**
 * Returns a method's picks of k out of n tokens.
 * @throws MethodError unless they are k distinct tokens.
 */
export function checkPicks(
  method: string,
  picks: readonly number[],
  n: number,
  k: number,
): readonly number[] {
  const problem = whatIsWrong(picks, n, k);
  if (problem !== undefined) throw new MethodError(method, problem);
  return picks;
}

/** What is wrong with picks; undefined if nothing is. */
function whatIsWrong(picks: readonly number[], n: number, k: number): string | undefined {
  if (!Array.isArray(picks)) return `it returned ${typeof picks} instead of an array of ${k} indices`;
  if (picks.length !== k) return `it returned ${picks.length} indices instead of ${k}`;
  const seen = new Set<number>();
  for (const token of picks) {
    if (!Number.isInteger(token) || token < 0 || token >= n) {
      return `it returned the index ${token}, but there are ${n} tokens`;
    }
    if (seen.has(token)) return `it returned the index ${token} twice`;
    seen.add(token);
  }
  return undefined;
}
