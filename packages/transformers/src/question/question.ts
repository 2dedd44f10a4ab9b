// The text that drives coverage: the caller's token ids, the caller's words, or the last user turn of the prompt. Its words become
// token ids by this package's rules, or by the official MMTok rules for the family.

import {
  ANSWER_FORMATS,
  type Float32Tensor,
  InvalidOptionsError,
  type KeywordOptions,
  keywords,
  STOP_WORDS,
} from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { messageOf } from '@mmtok/core/internal';
import { PromptMismatchError } from '../errors.js';
import type { OfficialText, PrunedModel } from '../families/family.js';
import { int64Matrix, toFloat32 } from '../internal/tensors.js';
import type { ProcessorLike } from '../internal/types.js';
import { isMasked, type Prompt } from '../prompt/prompt.js';
import type { Question } from '../report.js';
import { lastUserTurn } from './chat-template.js';

/** The question as token ids of the model's vocabulary. */
export interface QuestionTokens {
  readonly ids: readonly number[];
  /**
   * The weight of each token, a number ≥ 0, in every `coverage` term that has a target per text token and sets no
   * weights. @default all the same
   */
  readonly weights?: readonly number[] | undefined;
}

/** A call's options for its questions; arrays have one entry per prompt of the batch. */
export interface QuestionSettings extends TextSettings {
  readonly question?: string | readonly string[] | undefined;
  readonly questionTokens?: QuestionTokens | readonly QuestionTokens[] | undefined;
}

/** The question of each prompt of the batch. */
export function findQuestions(
  { processor, family }: PrunedModel,
  settings: QuestionSettings,
  prompt: Prompt,
): Question[] {
  const { ids, placeholders } = prompt;
  const pick = <T>(name: string, value: T | readonly T[] | undefined, batchIndex: number): T | undefined => {
    if (!Array.isArray(value)) return value as T | undefined;
    if (value.length === ids.length) return value[batchIndex] as T;
    throw new PromptMismatchError(
      `${name} has ${value.length} entries for a batch of ${ids.length} prompts; pass one per prompt`,
    );
  };
  return ids.map((own, batchIndex) => {
    const tokens = pick('questionTokens', settings.questionTokens, batchIndex);
    if (tokens !== undefined) {
      const { ids: given, weights } = tokens;
      return { source: 'tokens', text: '', words: [], ids: given, ...(weights && { weights }) };
    }
    const question = pick('question', settings.question, batchIndex);
    const vision = new Set(placeholders[batchIndex]);
    const isText = (id: number, position: number): boolean =>
      id >= 0 && !vision.has(position) && !isMasked(prompt, batchIndex, position);
    const { text, source } =
      question === undefined
        ? lastUserTurn(processor, own.filter(isText))
        : ({ text: question, source: 'caller' } as const);
    const words = wordsOf(text, settings, family.officialText ?? 'keywords');
    return words.length === 0
      ? { source: 'none', text, words: [], ids: [] }
      : { source, text, words, ids: tokenizeWords(processor, words, settings.text) };
  });
}

/** Words that share one weight, relative to 1 for a word of the question. */
export interface WeightedWords {
  readonly words: readonly string[];
  readonly weight: number;
}

/** A question with additional words. */
export function withWords(
  processor: ProcessorLike,
  question: Question,
  added: readonly WeightedWords[],
  preparation: TextPreparation,
): Question {
  const groups = added.filter((group) => group.words.length > 0);
  if (groups.length === 0) return question;
  const words = [...question.words];
  let { ids } = question;
  const weights = ids.map(() => 1);
  for (const group of groups) {
    words.push(...group.words);
    ids = tokenizeWords(processor, words, preparation);
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

/**
 * The raw input embeddings `[m, D]` of a question's tokens; nothing for a question without tokens.
 * @throws InvalidOptionsError if the caller's token ids are outside the model's vocabulary.
 */
export async function embedQuestion(
  { model, family }: PrunedModel,
  prompt: Prompt,
  { ids, source }: Question,
): Promise<Float32Tensor | undefined> {
  if (ids.length === 0) return undefined;
  const embedded = await family.adapter
    .embedText(model, int64Matrix(prompt.tensor, [ids]))
    .then(toFloat32, (cause: unknown) => {
      // Only the model knows its vocabulary size: config.json may not count added tokens.
      if (source !== 'tokens') throw cause;
      throw new InvalidOptionsError('options mmtok of generate', [
        `questionTokens: the model cannot embed ids up to ${Math.max(...ids)}; expected ids from its own tokenizer (${messageOf(cause)})`,
      ]);
    });
  return float32(embedded.data, [ids.length, embedded.dims.at(-1) as number]);
}

/**
 * `'keywords'`: words without stop words, in all families, tokenized as one sentence. `'official'`: the way the official code
 * does it for the family, to reproduce its selections.
 */
export type TextPreparation = 'keywords' | 'official';

/** Options for the words of a question. */
export interface TextSettings {
  readonly text: TextPreparation;
  /** The word filter; `false` keeps the text unchanged. Official preparations have their own. */
  readonly keywords: KeywordOptions | false;
}

/** The words of a question. */
export function wordsOf(question: string, settings: TextSettings, official: OfficialText): string[] {
  if (settings.text === 'official') return officialWords(question, official);
  return settings.keywords === false ? atSpaces(question) : keywords(question, settings.keywords);
}

function officialWords(question: string, official: OfficialText): string[] {
  const shown = question.replace(/^(\s*<image>)+\s*/u, '');
  if (shown.trim() === '') return [];
  if (official === 'prefixed') return atSpaces(`Question: ${shown}`);
  const asked = ANSWER_FORMATS.reduce((rest, sentence) => rest.replaceAll(sentence, ''), shown);
  // Python's \w: letters, digits, and underscores of all scripts, without combining marks.
  const words = asked.match(/[\p{L}\p{N}_]+/gu) ?? [];
  const kept = words.filter((word) => !STOP_WORDS.has(word.toLowerCase()));
  return kept.length > 0 ? kept : atSpaces(asked);
}

function atSpaces(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** The ids of words: as one sentence, or each word alone, which drops the space before a word with some tokenizers. */
export function tokenizeWords(
  { tokenizer }: ProcessorLike,
  words: readonly string[],
  preparation: TextPreparation,
): number[] {
  const texts = preparation === 'official' ? words : [words.join(' ')];
  return texts.flatMap((text) => {
    const { input_ids } = tokenizer(text, { add_special_tokens: false, return_tensor: false });
    return Array.from(input_ids, Number);
  });
}
