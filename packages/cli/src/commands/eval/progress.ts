// How far an evaluation is: a line that changes for a person, and a line now and then for the log of a machine.

import type { RunProgress } from '@mmtok/eval';
import { type Output, print } from '../../terminal/io.js';
import { createStatusLine } from '../../terminal/status-line.js';

const LOG_EVERY_MS = 60_000;

/** Tells how far a run is. */
export interface EvalProgress {
  show(progress: RunProgress): void;
  /** Removes the line. */
  clear(): void;
}

/** Progress on a stream. */
export function createEvalProgress(output: Output): EvalProgress {
  const status = createStatusLine(output);
  let loggedMs = 0;
  return {
    show(progress) {
      const text = inWords(progress);
      if (output.isTTY === true) status.show(text);
      else if (progress.elapsedMs - loggedMs >= LOG_EVERY_MS) {
        loggedMs = progress.elapsedMs;
        print(output, text);
      }
    },
    clear: () => status.clear(),
  };
}

function inWords({ done, total, leftMs, method, budget }: RunProgress): string {
  const left = leftMs === undefined ? '' : `, ${timeInWords(leftMs)} left`;
  return `${done} of ${total} answers${left} – ${method} at ${budget}`;
}

/** `50 s`, `12 min`, `3.5 h` */
function timeInWords(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
