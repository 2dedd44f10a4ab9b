// What decoding in transformers.js 4.3 lacks: nucleus sampling, whose option has no effect there, and stop sequences.

// Nucleus sampling (`top_p`).

/** Scores of the next token, `[batch, vocabulary]`, which processors change in place. */
interface Logits {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/**
 * A logits processor for `generate` that keeps the smallest set of most probable tokens whose total probability reaches `topP`
 * (ties with the last of them stay too).
 * @param topP above 0 and at most 1.
 * @see https://arxiv.org/abs/1904.09751
 */
export function createNucleus(topP: number): (ids: unknown, logits: Logits) => Logits {
  return (_, logits) => {
    const vocabulary = logits.dims.at(-1) ?? 0;
    for (let start = 0; start < logits.data.length; start += vocabulary) {
      cut(logits.data.subarray(start, start + vocabulary), topP);
    }
    return logits;
  };
}

function cut(scores: Float32Array, topP: number): void {
  const descending = scores.toSorted().reverse();
  const most = descending[0] ?? 0;
  const weights = Float64Array.from(descending, (score) => Math.exp(score - most));
  const wanted = topP * weights.reduce((sum, weight) => sum + weight, 0);
  let at = 0;
  for (let sum = weights[0] ?? 0; sum < wanted && at < weights.length - 1; sum += weights[at] as number)
    at += 1;
  const least = descending[at] as number;
  for (let token = 0; token < scores.length; token++) {
    if ((scores[token] as number) < least) scores[token] = Number.NEGATIVE_INFINITY;
  }
}

// Stop sequences: a streamed text ends at the first one.

/** Cuts a stream of text at stop sequences. */
export interface StopText {
  /** Takes a piece and returns what can be shown: everything except a suffix that may start a stop sequence. */
  push(piece: string): string;
  /** Returns what was held back, at the end of the text. */
  end(): string;
  /** Whether a stop sequence was found. Nothing is shown after it. */
  readonly stopped: boolean;
}

/** Cuts at any of `stops`. If `stops` is empty, text passes through. */
export function createStopText(stops: readonly string[]): StopText {
  let held = '';
  let stopped = false;
  return {
    push(piece) {
      if (stopped) return '';
      held += piece;
      const found = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
      if (found.length > 0) {
        stopped = true;
        return held.slice(0, Math.min(...found));
      }
      const keep = Math.max(0, ...stops.map((stop) => overlap(held, stop)));
      const shown = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return shown;
    },
    end: () => (stopped ? '' : held),
    get stopped() {
      return stopped;
    },
  };
}

/** The length of the longest suffix of `text` that is a proper prefix of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
