// Turns a definition into a method whose every call is checked: its inputs before, its indices after.

import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import { MethodError } from './method-error.js';
import type { AgentRole, Selector, SelectorInput, SelectorNeed } from './selector.js';

/** What {@link defineMethod} takes. */
export interface MethodDefinition {
  /** Kebab-case: letters, digits and dashes. */
  readonly name: string;
  /** @default the name */
  readonly title?: string;
  /** Where the method is described. */
  readonly source: string;
  /** @default nothing beside the vision tokens */
  readonly needs?: readonly SelectorNeed[];
  /** See {@link Selector.agent}. */
  readonly agent?: AgentRole;
  /** See {@link Selector.select}. */
  select(input: SelectorInput, k: number): readonly number[] | Promise<readonly number[]>;
}

const schema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "expected kebab-case such as 'my-method'"),
  title: z.string().min(1).optional(),
  source: z.string().min(1, 'expected where the method is described, e.g. a URL'),
  needs: z.array(z.enum(['text', 'saliency'])).optional(),
  agent: z.enum(['agent', 'oracle']).optional(),
  select: z.custom<MethodDefinition['select']>((value) => typeof value === 'function', 'expected a function'),
});

/**
 * Defines a pruning method of your own, to be handed to the runner beside the built-in ones.
 *
 * @example
 * const first = defineMethod({
 *   name: 'first',
 *   source: 'https://example.org/first',
 *   select: (_input, k) => Array.from({ length: k }, (_, token) => token),
 * });
 * @throws InvalidOptionsError for a definition of the wrong form. The method's `select` throws MethodError if it lacks
 * an input that it needs, if `k` is no whole number from 1 to n, or if it returns anything but `k` different tokens.
 */
export function defineMethod(definition: MethodDefinition): Selector {
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
    async select(input, k) {
      const n = input.vision.dims[0] as number;
      for (const need of needs) {
        if (input[need] !== undefined) continue;
        throw new MethodError(name, `it needs ${need}, which the model or the question does not give`);
      }
      if (!Number.isInteger(k) || k < 1 || k > n) {
        throw new MethodError(name, `expected to keep a whole number from 1 to ${n} tokens, got ${k}`);
      }
      return checkPicks(name, await definition.select(input, k), n, k);
    },
  };
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
