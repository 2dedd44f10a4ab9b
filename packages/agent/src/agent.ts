// What an agent is: a picture and a question in, an answer and the words it adds out. Types only.

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
  /** Resizing the picture, building and tokenizing the prompt. Only of models that `createAgent` loads. */
  readonly prepareMs?: number;
  /** The model. Only of models that `createAgent` loads. */
  readonly generateMs?: number;
  readonly totalMs: number;
}

/** Tokens that an answer took. */
export interface AgentUsage {
  /** Of the whole prompt. */
  readonly promptTokens: number;
  /** Those of the prompt that stand for the picture. */
  readonly visionTokens: number;
  readonly newTokens: number;
}

/** A first answer, and what it adds to the question. */
export interface AgentAnswer extends AgentReply {
  /** As the agent gave it, without spaces around. */
  readonly answer: string;
  /** The question as given, followed by a line with the added words, if any. */
  readonly text: string;
  /** The words that are to drive coverage beside the question's. */
  readonly added: readonly string[];
  /** How much each of them counts beside a word of the question, which counts 1. */
  readonly weight: number;
  /** Why words were added, or none. */
  readonly reason: EnrichmentReason;
  readonly timings: AgentTimings;
  readonly usage?: AgentUsage;
}

/**
 * Answers first, so that its answer guides the pruning for a larger model. Hand it to `prune` or `createVlm` of
 * @mmtok/transformers, whose `Agent` it is; beyond that it can be asked by itself, and tells where its words come from.
 */
export type Agent = (image: RawImage, question: string, call?: AgentCall) => Promise<AgentAnswer>;
