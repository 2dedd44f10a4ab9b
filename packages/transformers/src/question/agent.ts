// An agent answers a question before the model does, and its words are added to the question's: how to pass one, and when to ask it.

import type { RawImage } from '@huggingface/transformers';
import * as z from 'zod';

/** An agent's answer about an image. */
export interface AgentReply {
  readonly answer: string;
  /** The words of the answer that drive coverage together with the question's. @default the answer's keywords */
  readonly added?: readonly string[] | undefined;
  /** The weight of each of these words, relative to 1 for a word of the question; words with weight 0 are dropped. @default 1 */
  readonly weight?: number | undefined;
}

/**
 * Answers a question about an image before the model does, e.g. an agent from `createAgent()` or `agentFrom()` in
 * @mmtok/agent. `question` is empty if the prompt has none.
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
   * `'auto'` asks only if no word of the question points at a place in the image, i.e. if 1 − H / log n is below
   * `threshold` for every word. H is the entropy of text coverage's softmax over the n vision tokens. @default 'always'
   */
  readonly when?: 'always' | 'auto';
  /** From 0 (spread evenly) to 1 (a single place). The best value depends on the model. @default 0.5 */
  readonly threshold?: number;
  /**
   * Time limit in milliseconds for all images of a question, or `Infinity`. A model in this thread blocks the timer while
   * it computes, so the limit may be exceeded by the time of one token. @default 30000
   */
  readonly timeLimitMs?: number;
  /**
   * Ask while the vision encoder runs. This pays off if the agent runs elsewhere: on another device, in a worker, or over
   * a network. For `when: 'always'` and batches of one prompt. Its `signal` is aborted if the call ends without it.
   * @default false: one after the other
   */
  readonly parallel?: boolean;
}

/** {@link AgentOptions}, complete. */
export type ResolvedAgent = Required<AgentOptions>;

/** `setTimeout` treats longer delays as 1 ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

const isFunction = (value: unknown): boolean => typeof value === 'function';
const agentSchema = z.custom<Agent>(
  isFunction,
  'expected a function (image, question, { signal }) => { answer }',
);
const optionsSchema = z.strictObject({
  ask: agentSchema,
  when: z.enum(['always', 'auto']).optional(),
  threshold: z.number().min(0).max(1).optional(),
  timeLimitMs: z
    .custom<number>(
      (value) => typeof value === 'number' && value > 0 && (value <= LONGEST_TIMER || value === Infinity),
      `expected milliseconds above 0 and up to ${LONGEST_TIMER}, or Infinity for no limit`,
    )
    .optional(),
  parallel: z.boolean().optional(),
});

/** An agent, or one of a few other values. A union would not report which option of an agent is wrong. */
function agentOr<T>(others: readonly unknown[], expected: string): z.ZodType<T> {
  return z.custom<T>().superRefine((value, context) => {
    if (isFunction(value) || others.includes(value)) return;
    if (typeof value !== 'object' || value === null) {
      context.addIssue({ code: 'custom', message: expected });
      return;
    }
    for (const { message, path } of optionsSchema.safeParse(value).error?.issues ?? []) {
      context.addIssue({ code: 'custom', message, path });
    }
  });
}

/** The agent option of `prune`. */
export const pruneAgentSchema: z.ZodType<Agent | AgentOptions> = agentOr(
  [],
  'expected an agent, i.e. a function (image, question, { signal }) => { answer }, or { ask, when, threshold, timeLimitMs, parallel }',
);

/** The agent option of a single call. */
export const callAgentSchema: z.ZodType<CallAgent> = agentOr(
  [false, 'always', 'auto'],
  "expected false, 'always', 'auto', an agent, or { ask, when, threshold, timeLimitMs, parallel }",
);

/** What a single call may pass as its agent: none, when to ask the agent of `prune`, or another agent. */
export type CallAgent = false | 'always' | 'auto' | Agent | AgentOptions;

/** Resolves the agent of a call, if there is one. */
export function resolveAgent(
  base: Agent | AgentOptions | undefined,
  call: CallAgent | undefined,
): ResolvedAgent | undefined {
  if (call === false) return undefined;
  const given = typeof call === 'string' ? undefined : call;
  const chosen = given ?? base;
  if (chosen === undefined) return undefined;
  const options: AgentOptions = typeof chosen === 'function' ? { ask: chosen } : chosen;
  const { when = 'always', threshold = 0.5, timeLimitMs = 30_000, parallel = false } = options;
  return { ask: options.ask, when: typeof call === 'string' ? call : when, threshold, timeLimitMs, parallel };
}
