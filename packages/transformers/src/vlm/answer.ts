// Answers and streamed answers: converts tokens to pieces of text and yields them to the caller.

import type { PreTrainedTokenizer } from '@huggingface/transformers';
import type { PruneReport } from '../report.js';

/** Token counts of a call. */
export interface Usage {
  /** The full prompt, including vision tokens, before pruning. */
  readonly promptTokens: number;
  /** The prompt that the language model processed. */
  readonly keptPromptTokens: number;
  /** Vision tokens of all images, before pruning. */
  readonly visionTokens: number;
  /** Vision tokens that were kept. */
  readonly keptTokens: number;
  /** The answer, including the end-of-sequence token. */
  readonly newTokens: number;
}

/** The answer of a model. */
export interface Answer {
  /** The generated text only, trimmed and without special tokens. */
  readonly text: string;
  /** Which tokens of each image were kept, and how long each phase took. */
  readonly report: PruneReport;
  readonly usage: Usage;
  /** `'stop'` if the model ended its answer, `'length'` if it reached `maxNewTokens`. */
  readonly finishReason: 'stop' | 'length';
}

/**
 * Yields the pieces of an answer as they are generated, and provides the full answer. Both throw if the call fails. Leaving the
 * loop early stops the model.
 */
export interface AnswerStream extends AsyncIterable<string> {
  /** The full answer, whose text is all pieces joined. Also available without iterating. */
  readonly answer: Promise<Answer>;
}

/**
 * Creates a stream for a call and starts the call.
 * @param start runs the call, passes pieces to `push`, and ends early if the signal is aborted.
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
  // This also marks the promise as handled, for callers who only iterate.
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
 * A transformers.js streamer that converts tokens from `generate` to text. A piece never ends in the middle of a character.
 * Leading and trailing white space is dropped.
 */
export class PieceStreamer {
  /** All pieces so far. */
  text = '';
  private readonly ids: bigint[] = [];
  private isPrompt = true;
  private space = '';
  /** New text is the difference from the text decoded so far, because some tokens decode differently at the start. */
  private from = 0;
  private to = 0;
  private readonly tokenizer: Pick<PreTrainedTokenizer, 'decode'>;
  private readonly push: (piece: string) => void;

  constructor(tokenizer: Pick<PreTrainedTokenizer, 'decode'>, push: (piece: string) => void) {
    this.tokenizer = tokenizer;
    this.push = push;
  }

  /** Receives the prompt first, then each token. */
  put(value: readonly (readonly bigint[])[]): void {
    if (this.isPrompt) {
      this.isPrompt = false;
      return;
    }
    this.ids.push(...(value[0] ?? []));
    const { before, after } = this.window();
    // A trailing replacement character means that the bytes of the last character are still incomplete.
    if (after.length <= before.length || after.endsWith('\uFFFD')) return;
    this.from = this.to;
    this.to = this.ids.length;
    this.emit(after.slice(before.length));
  }

  /** Emits the remaining text. */
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
