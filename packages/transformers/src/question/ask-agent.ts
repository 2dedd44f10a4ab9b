// Asks an agent about the images of each prompt within its time limit, and adds its answers to the questions.

import type { RawImage } from '@huggingface/transformers';
import { type Backend, cosineSimilarity, type Float32Tensor, keywords } from '@mmtok/core';
import { defineProgram, float32 } from '@mmtok/core/backend';
import { columnPeakedness, messageOf, parseOptions, sum } from '@mmtok/core/internal';
import * as z from 'zod';
import { PromptMismatchError } from '../errors.js';
import type { PrunedModel } from '../families/family.js';
import { matrixSlice } from '../internal/tensors.js';
import type { PlacedImage } from '../prompt/images.js';
import type { Prompt } from '../prompt/prompt.js';
import type { AgentReport, Question } from '../report.js';
import type { AgentReply, ResolvedAgent } from './agent.js';
import {
  embedQuestion,
  findQuestions,
  type QuestionSettings,
  type WeightedWords,
  withWords,
} from './question.js';

/** A call's options for its questions and its agent. */
export interface AgentSettings extends QuestionSettings {
  readonly agent: ResolvedAgent | undefined;
  /** The images to show the agent, one per image of the batch. */
  readonly images?: readonly RawImage[] | undefined;
}

/** The result of asking. */
export interface Asked {
  /** Replies that arrived in time, one per image. */
  readonly replies: readonly AgentReply[];
  /** Why there are no more replies. */
  readonly problem?: string;
  readonly isTimedOut: boolean;
  readonly ms: number;
}

/** The resolved questions of a batch: what selection needs from the text. One entry per prompt. */
export interface ResolvedQuestions {
  readonly questions: readonly Question[];
  /** `[m, D]`; absent without text. */
  readonly texts: readonly (Float32Tensor | undefined)[];
  /** What the agent added. Absent without an agent. */
  readonly agents?: readonly AgentReport[];
  readonly notes: readonly string[];
  /** Milliseconds spent waiting for the agent. */
  readonly agentMs: number;
}

const replySchema = z.object(
  {
    answer: z.string(),
    added: z.array(z.string()).optional(),
    weight: z.number().nonnegative().finite().optional(),
  },
  'expected { answer }',
);

/** Asks about the images one after the other. Never rejects: an error is part of the result. */
async function askAgent(
  { ask, timeLimitMs }: ResolvedAgent,
  images: readonly RawImage[],
  question: string,
  ended?: AbortSignal,
): Promise<Asked> {
  const started = performance.now();
  const limit = new AbortController();
  const { signal } = limit;
  const tooLate = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Without a listener, the rejection of an agent that finished earlier would be reported as unhandled.
  tooLate.catch(() => undefined);
  const giveUp = (): void => limit.abort(ended?.reason);
  ended?.addEventListener('abort', giveUp, { once: true });
  const timer =
    timeLimitMs === Infinity
      ? undefined
      : setTimeout(() => limit.abort(new Error(`it took longer than ${timeLimitMs} ms`)), timeLimitMs);
  const replies: AgentReply[] = [];
  try {
    for (const image of images) {
      const reply = await Promise.race([ask(image, question, { signal }), tooLate]);
      replies.push(parseOptions('reply of the agent', replySchema, reply) as AgentReply);
    }
    return { replies, isTimedOut: false, ms: performance.now() - started };
  } catch (error) {
    const problem = messageOf(error);
    return { replies, problem, isTimedOut: signal.aborted, ms: performance.now() - started };
  } finally {
    clearTimeout(timer);
    ended?.removeEventListener('abort', giveUp);
  }
}

/**
 * Asks the agent before the images are encoded, if the options say so and there is exactly one question.
 * @param ended aborts when the answer is no longer needed.
 */
export function askEarly(
  pruned: PrunedModel,
  settings: AgentSettings,
  prompt: Prompt,
  ended: AbortSignal,
): Promise<Asked> | undefined {
  const { agent, images } = settings;
  if (agent?.parallel !== true || agent.when === 'auto' || images === undefined) return undefined;
  const [question, ...others] = findQuestions(pruned, settings, prompt);
  if (question === undefined || others.length > 0 || question.source === 'tokens') return undefined;
  return askAgent(agent, images, question.text, ended);
}

/** What the questions are about. */
export interface QuestionContext {
  readonly images: readonly PlacedImage[];
  /** `[n, D]`: all vision tokens of the batch. */
  readonly vision: Float32Tensor;
  readonly backend: Backend;
  /** The agent's pending reply, if it has already been asked. */
  readonly early: Promise<Asked> | undefined;
}

/**
 * Resolves the question of each prompt: finds it, asks the agent if there is one, and embeds the words.
 * @throws PromptMismatchError if there is an agent but the call does not pass one image per image of the batch.
 */
export async function resolveQuestions(
  pruned: PrunedModel,
  settings: AgentSettings,
  prompt: Prompt,
  context: QuestionContext,
): Promise<ResolvedQuestions> {
  const found = findQuestions(pruned, settings, prompt);
  const { agent } = settings;
  if (agent !== undefined) expectOnePerImage(settings.images, context.images);
  const questions: Question[] = [];
  const texts: (Float32Tensor | undefined)[] = [];
  const agents: AgentReport[] = [];
  let agentMs = 0;
  for (const [batchIndex, question] of found.entries()) {
    const text = await embedQuestion(pruned, prompt, question);
    if (agent === undefined) {
      questions.push(question);
      texts.push(text);
      continue;
    }
    const own = context.images.filter((image) => image.batchIndex === batchIndex);
    const shown = (settings.images ?? []).filter((_, at) => context.images[at]?.batchIndex === batchIndex);
    const measured =
      agent.when === 'auto' && own.length > 0
        ? { informativeness: await informativeness(pruned, context, own, text) }
        : {};
    const isClear = agent.when === 'auto' && (measured.informativeness ?? 0) >= agent.threshold;
    if (question.source === 'tokens' || own.length === 0 || isClear) {
      questions.push(question);
      texts.push(text);
      agents.push({ state: 'notAsked', answers: [], added: [], ms: 0, ...measured });
      continue;
    }
    const started = performance.now();
    const asked = await (context.early ?? askAgent(agent, shown, question.text));
    agentMs += performance.now() - started;
    const added = addedWords(asked, question, settings);
    const enriched = withWords(pruned.processor, question, added, settings.text);
    questions.push(enriched);
    texts.push(enriched === question ? text : await embedQuestion(pruned, prompt, enriched));
    agents.push({
      ...reportOf(
        asked,
        added.flatMap(({ words }) => words),
      ),
      ...measured,
    });
  }
  const notes = agents.flatMap(({ problem }) =>
    problem === undefined ? [] : [`the agent failed: ${problem}; the selection continued without its answer`],
  );
  return { questions, texts, ...(agent && { agents }), notes, agentMs };
}

function expectOnePerImage(given: readonly RawImage[] | undefined, images: readonly PlacedImage[]): void {
  if (given?.length === images.length) return;
  throw new PromptMismatchError(
    `the prompt has ${images.length} images, but the option images has ${given?.length ?? 0} for the agent; ` +
      'pass one per image, as in generate({ ...inputs, mmtok: { images: [image] } }), or skip the agent with mmtok: { agent: false }',
  );
}

/** The words of each reply and their weights; each word once, none with weight 0. */
function addedWords({ replies }: Asked, question: Question, settings: AgentSettings): WeightedWords[] {
  const known = new Set(question.words.map((word) => word.toLowerCase()));
  const own = (answer: string): string[] =>
    keywords(answer, settings.keywords === false ? {} : settings.keywords).filter(
      (word) => !known.has(word.toLowerCase()),
    );
  const seen = new Set<string>();
  return replies.map(({ answer, added = own(answer), weight = 1 }) => {
    const words = weight === 0 ? [] : [...new Set(added)].filter((word) => !seen.has(word));
    for (const word of words) seen.add(word);
    return { words, weight };
  });
}

function reportOf({ replies, problem, isTimedOut, ms }: Asked, added: readonly string[]): AgentReport {
  const answers = replies.map(({ answer }) => answer);
  if (problem !== undefined)
    return { state: isTimedOut ? 'timedOut' : 'failed', answers, added, problem, ms };
  return { state: added.length > 0 ? 'enriched' : 'nothingAdded', answers, added, ms };
}

const informativenessProgram = defineProgram({
  name: 'informativeness',
  inputs: { vision: { dims: ['n', 'D'] }, text: { dims: ['m', 'D'] }, temperature: { dims: [] } },
  outputs: { peakedness: { dims: ['one', 'm'] } },
  build: (ops, { vision, text, temperature }) => ({
    peakedness: columnPeakedness(
      ops,
      ops.softmax(ops.divide(cosineSimilarity(ops, vision, text), temperature), 0),
    ),
  }),
});

/**
 * The highest 1 − H / log n among text tokens, where H is the entropy of text coverage's softmax over the n vision
 * tokens: near 1 if at least one word points at a place, near 0 if every word is spread evenly, and 0 if there are no
 * words.
 */
async function informativeness(
  { family }: PrunedModel,
  { vision, backend }: QuestionContext,
  images: readonly PlacedImage[],
  text: Float32Tensor | undefined,
): Promise<number> {
  const first = images[0]?.start;
  if (text === undefined || first === undefined) return 0;
  const { peakedness } = await backend.run(informativenessProgram, {
    vision: matrixSlice(vision, first, sum(images.map((image) => image.visionTokens))),
    text,
    temperature: float32(Float32Array.of(family.textTemperature), []),
  });
  const highest = (peakedness as Float32Tensor).data.reduce((best, one) => Math.max(best, one), 0);
  return Math.min(1, highest);
}
