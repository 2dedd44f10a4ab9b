// Agents: an image and a question in, an answer and the words it adds out. Any function that answers can be one.

import type { RawImage } from '@huggingface/transformers';
import { parseOptions } from '@mmtok/core/internal';
import type { AgentReply } from '@mmtok/transformers';
import * as z from 'zod';
import { type EnrichmentReason, enrichQuestion } from './enrichment/enrich-question.js';
import { type EnrichmentOptions, resolveEnrichmentOptions } from './enrichment/options.js';

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

/** Answers a question about an image in words. */
export type Answerer = (image: RawImage, question: string, call: AgentCall) => string | Promise<string>;

/**
 * An agent that calls a function for the answer and picks the words to add by the rules of {@link enrichQuestion}.
 *
 * @throws InvalidOptionsError for options of the wrong form. The agent rejects with what the function throws, with the
 * signal's reason, and with InvalidOptionsError if the answer is not a string.
 * @example
 * const agent = agentFrom(async (image, question) => await captioner(image), { maxWords: 8 });
 * const { added } = await agent(image, 'What is happening?');
 */
export function agentFrom(answerer: Answerer, enrichment: EnrichmentOptions = {}): Agent {
  const isFunction = (value: unknown): boolean => typeof value === 'function';
  parseOptions(
    'answerer',
    z.custom<Answerer>(isFunction, 'expected a function (image, question) => answer'),
    answerer,
  );
  resolveEnrichmentOptions(enrichment);
  return async (image, question, call = {}) => {
    const started = performance.now();
    call.signal?.throwIfAborted();
    const answer = await answerer(image, question, call);
    call.signal?.throwIfAborted();
    return toAgentAnswer(question, answer, enrichment, { totalMs: performance.now() - started });
  };
}

/** An answer with the words it adds to its question. */
export function toAgentAnswer(
  question: string,
  answer: string,
  enrichment: EnrichmentOptions,
  timings: AgentTimings,
  usage?: AgentUsage,
): AgentAnswer {
  const { text, words, added, reason } = enrichQuestion(question, answer, enrichment);
  const { weight = 1 } = words.find(({ source }) => source === 'answer') ?? {};
  return { answer: answer.trim(), text, added, weight, reason, timings, ...(usage && { usage }) };
}
