// Asks an agent about the pictures of one question, within its time. Never rejects: what went wrong is part of the result.

import type { RawImage } from '@huggingface/transformers';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { AgentReply, ResolvedAgent } from './agent.js';

/** What came of asking. */
export interface Asked {
  /** Those that came in time, one per picture. */
  readonly replies: readonly AgentReply[];
  /** Why there are not more replies. */
  readonly problem?: string;
  readonly isTimedOut: boolean;
  readonly ms: number;
}

const replySchema = z.object(
  {
    answer: z.string(),
    added: z.array(z.string()).optional(),
    weight: z.number().nonnegative().finite().optional(),
  },
  'expected { answer }',
);

/**
 * Asks about the pictures one after the other.
 * @param ended tells that nobody waits for the answer any more.
 */
export async function askAgent(
  { ask, timeLimitMs }: ResolvedAgent,
  pictures: readonly RawImage[],
  question: string,
  ended?: AbortSignal,
): Promise<Asked> {
  const started = performance.now();
  const limit = new AbortController();
  const { signal } = limit;
  const tooLate = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Nobody listens where the agent was done before.
  tooLate.catch(() => undefined);
  const giveUp = (): void => limit.abort(ended?.reason);
  ended?.addEventListener('abort', giveUp, { once: true });
  const timer =
    timeLimitMs === Infinity
      ? undefined
      : setTimeout(() => limit.abort(new Error(`it took longer than ${timeLimitMs} ms`)), timeLimitMs);
  const replies: AgentReply[] = [];
  try {
    for (const picture of pictures) {
      const reply = await Promise.race([ask(picture, question, { signal }), tooLate]);
      replies.push(parseOptions('reply of the agent', replySchema, reply) as AgentReply);
    }
    return { replies, isTimedOut: false, ms: performance.now() - started };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { replies, problem, isTimedOut: signal.aborted, ms: performance.now() - started };
  } finally {
    clearTimeout(timer);
    ended?.removeEventListener('abort', giveUp);
  }
}
