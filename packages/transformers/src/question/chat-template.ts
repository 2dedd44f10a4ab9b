// Recovers the text of the last user turn from a prompt's ids. Learns the chat template by rendering probes through it.

import type { ProcessorLike, TokenizerLike } from '../internal/types.js';

const PROBES = ['mmtokfirst', 'mmtokreply', 'mmtoksecond'] as const;

/** The fixed strings that a chat template puts around user turns, ignoring spaces. */
interface TurnMarks {
  /** Before the first user turn, after any system prompt. */
  readonly first: string;
  /** Between an answer and the next user turn. */
  readonly next: string;
  /** After the user's text, up to the start of the answer. */
  readonly end: string;
}

/** Text found in a prompt, and whether it is a user turn or the whole text. */
export interface RecoveredText {
  readonly text: string;
  readonly source: 'lastUserTurn' | 'wholePrompt';
}

const marksOf = new WeakMap<object, TurnMarks | null>();

/**
 * The text of the last user turn, without system prompt, template, special tokens, and image placeholders. For prompts that
 * were not made with the chat template, returns all of their text.
 * @param ids the prompt's ids without padding and placeholders.
 */
export function lastUserTurn(processor: ProcessorLike, ids: readonly number[]): RecoveredText {
  const { tokenizer } = processor;
  if (ids.length === 0) return { text: '', source: 'wholePrompt' };
  const prompt = tokenizer.decode(ids, { skip_special_tokens: false });
  const marks = turnMarks(processor);
  const turn = marks === null ? undefined : cutTurn(prompt, marks);
  return turn === undefined
    ? { text: plain(prompt, tokenizer), source: 'wholePrompt' }
    : { text: plain(turn, tokenizer), source: 'lastUserTurn' };
}

/** The user's part of a rendered conversation, or nothing if it does not end the way the template ends. */
function cutTurn(prompt: string, marks: TurnMarks): string | undefined {
  const isEndless = marks.end === '';
  const ends = matches(prompt, marks.end);
  const end = isEndless ? prompt.length : ends.at(-1)?.start;
  if (end === undefined) return undefined;
  const before = prompt.slice(0, end);
  const turns = matches(before, marks.next);
  // Some marks are words that a question may contain ("USER:"), so a turn is the first one after an answer has started.
  const answered = ends.at(-2)?.end ?? Number.POSITIVE_INFINITY;
  const next = isEndless ? turns.at(-1) : turns.find(({ start }) => start >= answered);
  if (next !== undefined) return before.slice(next.end);
  if (marks.first === '') return before;
  const first = matches(before, marks.first)[0];
  return first === undefined ? undefined : before.slice(first.end);
}

function turnMarks(processor: ProcessorLike): TurnMarks | null {
  const known = marksOf.get(processor.tokenizer);
  if (known !== undefined) return known;
  const marks = probeTemplate(processor);
  marksOf.set(processor.tokenizer, marks);
  return marks;
}

/** Renders two turns and reads the text around the probes. */
function probeTemplate(processor: ProcessorLike): TurnMarks | null {
  const [first, reply, second] = PROBES;
  for (const asParts of [true, false]) {
    const content = (text: string): unknown => (asParts ? [{ type: 'text', text }] : text);
    const messages = [
      { role: 'user', content: content(first) },
      { role: 'assistant', content: content(reply) },
      { role: 'user', content: content(second) },
    ];
    const rendered = render(processor, messages);
    const at = rendered === undefined ? [] : PROBES.map((probe) => rendered.indexOf(probe));
    if (rendered === undefined || at.some((index) => index < 0)) continue;
    const [atFirst, atReply, atSecond] = at as [number, number, number];
    const head = rendered.slice(0, atFirst);
    const next = rendered.slice(atReply + reply.length, atSecond);
    return {
      first: commonEnd(head, next),
      next: next.trim(),
      end: rendered.slice(atSecond + second.length).trim(),
    };
  }
  return null;
}

function render(processor: ProcessorLike, messages: readonly unknown[]): string | undefined {
  for (const renderer of [processor, processor.tokenizer]) {
    try {
      const text = renderer.apply_chat_template?.(messages, { tokenize: false, add_generation_prompt: true });
      if (typeof text === 'string') return text;
    } catch {
      // No template, or one that rejects this message format: try the next renderer or format.
    }
  }
  return undefined;
}

function commonEnd(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length++;
  return a.slice(a.length - length).trim();
}

/** Matches a mark wherever decoding put its spaces. */
function pattern(mark: string, flags: 'gu' | 'giu'): RegExp {
  const characters = [...mark.replace(/\s+/g, '')].map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(characters.join(String.raw`\s*`), flags);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Finds a mark; ignores case only if there is no exact match, because some tokenizers lose case. */
function matches(text: string, mark: string): Span[] {
  if (mark === '') return [];
  const spans = (flags: 'gu' | 'giu'): Span[] =>
    Array.from(text.matchAll(pattern(mark, flags)), (match) => ({
      start: match.index,
      end: match.index + match[0].length,
    }));
  const exact = spans('gu');
  return exact.length > 0 ? exact : spans('giu');
}

/** Strips special tokens and structure tokens such as `<row_1_col_2>` or `<|vision_start|>`. */
function plain(text: string, tokenizer: TokenizerLike): string {
  let rest = text;
  for (const token of tokenizer.all_special_tokens ?? []) rest = rest.replaceAll(token, ' ');
  return rest
    .replace(/<\|?[\p{L}\p{N}_-]+\|?>|\[(?:IMG|IMG_BREAK|IMG_END)\]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
