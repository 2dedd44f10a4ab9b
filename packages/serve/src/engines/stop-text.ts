// Ends a streamed text at the first stop sequence.

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
