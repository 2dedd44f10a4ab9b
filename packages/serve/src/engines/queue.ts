// A bounded queue for work that runs a few at a time.

import { BusyError } from '../errors.js';

/** Permission to run. Release it once. */
export interface Slot {
  release(): void;
}

/** A bounded queue of permissions. */
export interface Queue {
  /**
   * Waits for a slot.
   * @throws BusyError if the queue is full; `signal.reason` if the signal is aborted.
   */
  acquire(signal: AbortSignal): Promise<Slot>;
  readonly running: number;
  readonly queued: number;
}

interface Waiting {
  readonly start: () => void;
}

/**
 * A queue with `concurrency` slots and room for `limit` waiting callers. `Retry-After` of a rejection estimates the time to
 * clear the queue at the pace of the last calls, from 1 to 60 seconds.
 */
export function createQueue({ concurrency, limit }: { concurrency: number; limit: number }): Queue {
  const waiting = new Set<Waiting>();
  let running = 0;
  let meanMs = 1000;

  const startNext = (): void => {
    const [next] = waiting;
    if (next === undefined || running >= concurrency) return;
    waiting.delete(next);
    next.start();
  };
  const begin = (): Slot => {
    running += 1;
    const began = performance.now();
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        running -= 1;
        meanMs += (performance.now() - began - meanMs) / 8;
        startNext();
      },
    };
  };

  return {
    async acquire(signal) {
      signal.throwIfAborted();
      if (running < concurrency) return begin();
      if (waiting.size >= limit) {
        const seconds = Math.ceil((meanMs * (waiting.size + 1)) / concurrency / 1000);
        throw new BusyError(
          `The queue is full: ${running} requests are running and ${waiting.size} are waiting. Try again later.`,
          Math.min(60, Math.max(1, seconds)),
        );
      }
      return await new Promise<Slot>((resolve, reject) => {
        const giveUp = (): void => {
          waiting.delete(entry);
          reject(signal.reason);
        };
        const entry: Waiting = {
          start: () => {
            signal.removeEventListener('abort', giveUp);
            resolve(begin());
          },
        };
        waiting.add(entry);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
    get running() {
      return running;
    },
    get queued() {
      return waiting.size;
    },
  };
}
