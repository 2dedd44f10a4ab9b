// An agent answers a question before the model does; its words join the question's. How to give one, and when it is asked.

import type { RawImage } from '@huggingface/transformers';
import * as z from 'zod';

/** What an agent says about an image. */
export interface AgentReply {
  readonly answer: string;
  /** The words of the answer that drive coverage together with the question's. @default the answer's keywords */
  readonly added?: readonly string[] | undefined;
  /** The weight of each of them, beside 1 for a word of the question; with 0 they are left out. @default 1 */
  readonly weight?: number | undefined;
}

/**
 * Answers a question about an image before the model does, e.g. one of `createAgent()` or `agentFrom()` of
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
   * `'auto'` asks only where no word of the question points at a place in the image: where 1 − H / log n, with H the
   * entropy of text coverage's softmax over the n vision tokens, is below `threshold` for every word. @default 'always'
   */
  readonly when?: 'always' | 'auto';
  /** From 0, everywhere alike, to 1, a single place. What is best depends on the model. @default 0.5 */
  readonly threshold?: number;
  /**
   * Milliseconds that the agent has for all images of a question, or `Infinity`. A model in this thread blocks the timer
   * while it computes, so the limit may be exceeded by the time of one token. @default 30000
   */
  readonly timeLimitMs?: number;
  /**
   * Ask while the vision encoder runs, which pays off where the agent runs elsewhere: on another device, in a worker, over
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

/** An agent, or one of some other values. A union would not tell which option of an agent is wrong. */
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

/** An agent as `prune` takes it. */
export const pruneAgentSchema: z.ZodType<Agent | AgentOptions> = agentOr(
  [],
  'expected an agent, which is a function (image, question, { signal }) => { answer }, or { ask, when, threshold, timeLimitMs, parallel }',
);

/** An agent as a single call takes it. */
export const callAgentSchema: z.ZodType<CallAgent> = agentOr(
  [false, 'always', 'auto'],
  "expected false, 'always', 'auto', an agent, or { ask, when, threshold, timeLimitMs, parallel }",
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
  const options: AgentOptions = typeof chosen === 'function' ? { ask: chosen } : chosen;
  const { when = 'always', threshold = 0.5, timeLimitMs = 30_000, parallel = false } = options;
  return { ask: options.ask, when: typeof call === 'string' ? call : when, threshold, timeLimitMs, parallel };
}
