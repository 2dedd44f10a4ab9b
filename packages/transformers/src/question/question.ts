// Which text drives coverage, as token ids: the caller's ids, the caller's words, or the last user turn of the prompt.

import { keywords } from '@mmtok/core';
import type { KeywordOptions, QuestionTokens } from '../options.js';
import type { ProcessorLike } from '../upstream/types.js';
import { lastUserTurn } from './user-turn.js';

/**
 * Where the text came from. `'agent'`: there was no question, so that an agent's answer stands alone. `'none'`: there was
 * no text, so vision coverage decides alone.
 */
export type QuestionSource = 'tokens' | 'caller' | 'lastUserTurn' | 'wholePrompt' | 'agent' | 'none';

/** The text that drove coverage for one row of the batch. */
export interface Question {
  readonly source: QuestionSource;
  /** The text before filtering; empty for ready token ids. */
  readonly text: string;
  /** The words that were embedded; empty for ready token ids. */
  readonly words: readonly string[];
  /** Their sub-word tokens: each is one target of text coverage. */
  readonly ids: readonly number[];
  /** How much each token counts, if the caller said. */
  readonly weights?: readonly number[];
}

/** What the caller said about the question of one row. */
export interface QuestionRequest {
  readonly question?: string | undefined;
  readonly questionTokens?: QuestionTokens | undefined;
  readonly keywords: KeywordOptions | false;
}

/**
 * Finds the question of one row.
 * @param promptIds ids of the row without padding and placeholders.
 */
export function findQuestion(
  processor: ProcessorLike,
  promptIds: () => readonly number[],
  { question, questionTokens, keywords: filter }: QuestionRequest,
): Question {
  if (questionTokens !== undefined) {
    const { ids, weights } = questionTokens;
    return { source: 'tokens', text: '', words: [], ids, ...(weights && { weights }) };
  }
  const { text, source } =
    question === undefined
      ? lastUserTurn(processor, promptIds())
      : ({ text: question, source: 'caller' } as const);
  const words = filter === false ? text.split(/\s+/).filter((word) => word !== '') : keywords(text, filter);
  if (words.length === 0) return { source: 'none', text, words: [], ids: [] };
  return { source, text, words, ids: tokenize(processor, words) };
}

/** Words that each count `weight` beside a word of the question. */
export interface WeightedWords {
  readonly words: readonly string[];
  readonly weight: number;
}

/** A question with further words. */
export function withWords(
  processor: ProcessorLike,
  question: Question,
  added: readonly WeightedWords[],
): Question {
  const groups = added.filter((group) => group.words.length > 0);
  if (groups.length === 0) return question;
  const words = [...question.words];
  let { ids } = question;
  const weights = ids.map(() => 1);
  for (const group of groups) {
    words.push(...group.words);
    ids = tokenize(processor, words);
    while (weights.length < ids.length) weights.push(group.weight);
  }
  return {
    ...question,
    source: question.source === 'none' ? 'agent' : question.source,
    words,
    ids,
    ...(groups.some(({ weight }) => weight !== 1) && { weights }),
  };
}

function tokenize({ tokenizer }: ProcessorLike, words: readonly string[]): number[] {
  const { input_ids } = tokenizer(words.join(' '), { add_special_tokens: false, return_tensor: false });
  return Array.from(input_ids, Number);
}
