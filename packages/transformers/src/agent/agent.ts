// What pruning needs of an agent that answers first: an interface, and when to ask. Agents themselves are made elsewhere.

import type { RawImage } from '@huggingface/transformers';
import * as z from 'zod';

/** What an agent says about a picture. */
export interface AgentReply {
  readonly answer: string;
  /** The words of the answer that are to drive coverage beside the question's. @default the answer's keywords */
  readonly added?: readonly string[];
  /** How much each of them counts beside a word of the question, which counts 1. @default 1 */
  readonly weight?: number;
}

/**
 * Answers a question about a picture before the model does, e.g. one of `createAgent()` or `agentFrom()` of
 * @mmtok/agent. `question` is empty where the prompt has none.
 */
export type Agent = (
  image: RawImage,
  question: string,
  options: { readonly signal: AbortSignal },
) => Promise<AgentReply>;

/** An agent, and when and how to ask it. */
export interface AgentOptions {
  readonly ask: Agent;
  /**
   * `'auto'` asks only where the question itself says little about where to look: where its informativeness is below
   * `threshold`. @default 'always'
   */
  readonly when?: 'always' | 'auto';
  /** Informativeness, from 0 to 1, from which `'auto'` does without the agent. @default 0.5 */
  readonly threshold?: number;
  /** Milliseconds that the agent has for all pictures of a question. @default 30000 */
  readonly timeLimitMs?: number;
}

/** {@link AgentOptions}, complete. */
export interface ResolvedAgent {
  readonly ask: Agent;
  readonly when: 'always' | 'auto';
  readonly threshold: number;
  readonly timeLimitMs: number;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const agentSchema = z.custom<Agent>(
  isFunction,
  'expected a function (image, question, { signal }) => { answer }',
);
const optionsSchema = z.strictObject({
  ask: agentSchema,
  when: z.enum(['always', 'auto']).optional(),
  threshold: z.number().min(0).max(1).optional(),
  timeLimitMs: z.number().positive().optional(),
});

/** An agent as `prune` takes it. */
export const pruneAgentSchema = z.union(
  [agentSchema, optionsSchema],
  'expected an agent, which is a function (image, question, { signal }) => { answer }, or { ask, when, threshold, timeLimitMs }',
);

/** An agent as a single call takes it. */
export const callAgentSchema = z.union(
  [z.literal(false), z.enum(['always', 'auto']), pruneAgentSchema],
  "expected false, 'always', 'auto', an agent, or { ask, when, threshold, timeLimitMs }",
);

/** What a single call may say about the agent: none, when to ask that of `prune`, or another one. */
export type CallAgent = false | 'always' | 'auto' | Agent | AgentOptions;

/** The agent of a call, if there is one. */
export function resolveAgent(
  base: Agent | AgentOptions | undefined,
  call: CallAgent | undefined,
): ResolvedAgent | undefined {
  if (call === false) return undefined;
  const given = typeof call === 'string' ? undefined : call;
  const chosen = given ?? base;
  if (chosen === undefined) return undefined;
  const { ask, when, threshold, timeLimitMs } = typeof chosen === 'function' ? { ask: chosen } : chosen;
  return {
    ask,
    when: typeof call === 'string' ? call : (when ?? 'always'),
    threshold: threshold ?? 0.5,
    timeLimitMs: timeLimitMs ?? 30_000,
  };
}
