// The types of an agent: an image and a question in, an answer and the words it adds out.

import type { RawImage } from '@huggingface/transformers';
import type { AgentReply } from '@mmtok/transformers';
import type { EnrichmentReason } from './enrichment/enrich-question.js';

/** Options of one call. */
export interface AgentCall {
  /** Ends the call early: it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Milliseconds per phase. */
export interface AgentTimings {
  /** Resizing the image, building and tokenizing the prompt. Only for models that `createAgent` loads. */
  readonly prepareMs?: number;
  /** Running the model. Only for models that `createAgent` loads. */
  readonly generateMs?: number;
  readonly totalMs: number;
}

/** Token counts of one answer. */
export interface AgentUsage {
  /** Tokens of the whole prompt. */
  readonly promptTokens: number;
  /** Vision tokens among them. */
  readonly visionTokens: number;
  readonly newTokens: number;
}

/** A first answer, and what it adds to the question. */
export interface AgentAnswer extends AgentReply {
  /** The agent's answer, trimmed. */
  readonly answer: string;
  /** The question as given, followed by a line with the added words, if any. */
  readonly text: string;
  /** The words that drive coverage in addition to the question's. */
  readonly added: readonly string[];
  /** The weight of each of them; a word of the question has weight 1. */
  readonly weight: number;
  /** Why words were or were not added. */
  readonly reason: EnrichmentReason;
  readonly timings: AgentTimings;
  readonly usage?: AgentUsage;
}

/**
 * Answers first, so that its answer guides the pruning for a larger model. Pass it to `prune` or `createVlm` of
 * @mmtok/transformers, whose `Agent` type it satisfies, or call it directly.
 */
export type Agent = (image: RawImage, question: string, call?: AgentCall) => Promise<AgentAnswer>;
