// Answers, and an answer while it is written: pieces of text out of tokens, handed to whoever iterates.

import type { PreTrainedTokenizer } from '@huggingface/transformers';
import type { PruneReport } from '../report.js';

/** Tokens that a call took. */
export interface Usage {
  /** Of the whole prompt, vision tokens included, before pruning. */
  readonly promptTokens: number;
  /** Of the prompt that the language model processed. */
  readonly keptPromptTokens: number;
  /** Vision tokens of all images, before pruning. */
  readonly visionTokens: number;
  /** Those of them that were kept. */
  readonly keptTokens: number;
  /** Of the answer, the token that ends it included. */
  readonly newTokens: number;
}

/** What a model answers. */
export interface Answer {
  /** The new text only, without special tokens and without white space around. */
  readonly text: string;
  /** What was kept of which image, and how long it took. */
  readonly report: PruneReport;
  readonly usage: Usage;
  /** `'stop'` where the model ended its answer, `'length'` where `maxNewTokens` did. */
  readonly finishReason: 'stop' | 'length';
}

/**
 * The pieces of an answer as they come, and the answer. What goes wrong is thrown by both. To leave the loop early stops
 * the model.
 */
export interface AnswerStream extends AsyncIterable<string> {
  /** The whole answer, whose text is that of all pieces; also for those who iterate over none. */
  readonly answer: Promise<Answer>;
}

/**
 * Makes a stream of a call that has begun.
 * @param start runs the call, hands pieces to `push`, and ends early when the signal is aborted.
 */
export function streamAnswer(
  start: (push: (piece: string) => void, signal: AbortSignal) => Promise<Answer>,
): AnswerStream {
  const pieces: string[] = [];
  const leaving = new AbortController();
  let wake: (() => void) | undefined;
  let isOver = false;
  const answer = start((piece) => {
    pieces.push(piece);
    wake?.();
  }, leaving.signal);
  const end = (): void => {
    isOver = true;
    wake?.();
  };
  // Also marks the promise as handled, for those who only iterate.
  answer.then(end, end);

  return {
    answer,
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          while (pieces.length > 0) yield pieces.shift() as string;
          if (isOver) break;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        await answer;
      } finally {
        if (!isOver) leaving.abort();
      }
    },
  };
}

/**
 * Turns tokens into text as `generate` puts them: a streamer of transformers.js. A piece ends where its characters are
 * whole. White space around the answer is left out.
 */
export class PieceStreamer {
  /** All pieces so far. */
  text = '';
  private readonly ids: bigint[] = [];
  private isPrompt = true;
  private space = '';
  /** Text is told by what tokens add to those before, for some tokens look different at the start. */
  private from = 0;
  private to = 0;
  private readonly tokenizer: Pick<PreTrainedTokenizer, 'decode'>;
  private readonly push: (piece: string) => void;

  constructor(tokenizer: Pick<PreTrainedTokenizer, 'decode'>, push: (piece: string) => void) {
    this.tokenizer = tokenizer;
    this.push = push;
  }

  /** Takes the prompt first, then each token. */
  put(value: readonly (readonly bigint[])[]): void {
    if (this.isPrompt) {
      this.isPrompt = false;
      return;
    }
    this.ids.push(...(value[0] ?? []));
    const { before, after } = this.window();
    // The replacement character stands for the first bytes of one that is not complete.
    if (after.length <= before.length || after.endsWith('\uFFFD')) return;
    this.from = this.to;
    this.to = this.ids.length;
    this.emit(after.slice(before.length));
  }

  /** Hands out what was held back. */
  end(): void {
    const { before, after } = this.window();
    this.from = this.to = this.ids.length;
    this.emit(after.slice(before.length));
  }

  private window(): { readonly before: string; readonly after: string } {
    const decode = (ids: bigint[]): string =>
      ids.length === 0 ? '' : this.tokenizer.decode(ids, { skip_special_tokens: true });
    return { before: decode(this.ids.slice(this.from, this.to)), after: decode(this.ids.slice(this.from)) };
  }

  private emit(added: string): void {
    const waiting = this.space + added;
    const piece = (this.text === '' ? waiting.trimStart() : waiting).trimEnd();
    if (piece === '') {
      this.space = this.text === '' ? '' : waiting;
      return;
    }
    this.space = waiting.slice(waiting.trimEnd().length);
    this.text += piece;
    this.push(piece);
  }
}
