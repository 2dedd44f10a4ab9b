// Makes an agent of any function that answers: a captioner, an OCR engine, a remote model.

import type { RawImage } from '@huggingface/transformers';
import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { Agent, AgentAnswer, AgentCall, AgentTimings, AgentUsage } from './agent.js';
import { enrichQuestion } from './enrichment/enrich-question.js';
import { type EnrichmentOptions, resolveEnrichmentOptions } from './enrichment/options.js';

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
