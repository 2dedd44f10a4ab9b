// Turns a definition into a method whose every call is checked: its inputs before, its indices after.

import { createReferenceBackend, type Float32Tensor } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { gatherRows, parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import {
  type AgentRole,
  METHOD_NEEDS,
  type Method,
  type MethodFeatures,
  type MethodNeed,
  type MethodRequest,
  type MethodTile,
} from './method.js';
import { MethodError } from './method-error.js';

/** Features as a definition sees them: of eligible tokens only, with what may be absent filled in. */
export interface GivenFeatures extends MethodFeatures {
  readonly visionFeatures: Float32Tensor;
  readonly tiles: readonly MethodTile[];
}

/** A request as a definition sees it. */
export type GivenRequest = Required<Omit<MethodRequest, 'excluded'>>;

/** What {@link defineMethod} takes. */
export interface MethodDefinition {
  /** Kebab-case: letters, digits and dashes. */
  readonly name: string;
  /** @default the name */
  readonly title?: string;
  /** Where the method is described. */
  readonly source: string;
  /** @default nothing beside the vision tokens */
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
  source: z.string().min(1, 'expected where the method is described, e.g. a URL'),
  needs: z.array(z.enum(METHOD_NEEDS)).optional(),
  agent: z.enum(['agent', 'oracle']).optional(),
  select: z.custom<MethodDefinition['select']>((value) => typeof value === 'function', 'expected a function'),
});

/** Which feature meets a need, and how a model comes to have it. */
const SUPPLY: Readonly<
  Record<Exclude<MethodNeed, 'resolution'>, readonly [feature: keyof MethodFeatures, how: string]>
> = {
  question: ['text', 'there is no text to go by'],
  saliency: ['saliency', 'its encoder has no output vision_saliency'],
  positions: ['positions', 'it does not keep the positions of the full prompt, or does not tell them'],
};

/**
 * Defines a pruning method of your own, to be handed to the runner beside the built-in ones.
 *
 * @example
 * const first = defineMethod({
 *   name: 'first',
 *   source: 'https://example.org/first',
 *   select: (_features, { tokens }) => Array.from({ length: tokens }, (_, token) => token),
 * });
 * @throws InvalidOptionsError for a definition of the wrong form. The method's `select` throws MethodError if it lacks
 * an input that it needs, if `tokens` is no whole number from 1 to the number of eligible tokens, or if it returns anything
 * but `tokens` different ones.
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
            `it needs ${need}, which the model or the question does not give: ${how}`,
          );
      }
      const n = features.vision.dims[0] as number;
      const { tokens, excluded = [], backend = createReferenceBackend(), seed = 0 } = request;
      const eligible = eligibleTokens(n, excluded);
      if (!Number.isInteger(tokens) || tokens < 1 || tokens > eligible.length) {
        throw new MethodError(
          name,
          `expected to keep a whole number from 1 to ${eligible.length} tokens, got ${tokens}`,
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

/** The features of some of the tokens, ascending: without a grid where they are not all. */
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
 * Returns a method's picks of k among n tokens.
 * @throws MethodError if they are anything but k different tokens.
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

/** Whether picks break the contract, in words. */
function whatIsWrong(picks: readonly number[], n: number, k: number): string | undefined {
  if (!Array.isArray(picks))
    return `it returned ${typeof picks} where an array of ${k} indices was asked for`;
  if (picks.length !== k) return `it returned ${picks.length} indices where ${k} were asked for`;
  const seen = new Set<number>();
  for (const token of picks) {
    if (!Number.isInteger(token) || token < 0 || token >= n) {
      return `it returned the index ${token}, where there are ${n} tokens`;
    }
    if (seen.has(token)) return `it returned the index ${token} twice`;
    seen.add(token);
  }
  return undefined;
}
