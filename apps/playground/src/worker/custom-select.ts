// Runs the user's own `select` in a separate worker, which is terminated if it takes too long: an endless loop must not block
// the model.

import type { Select } from '@mmtok/transformers';
import type { SandboxReply } from './sandbox.js';

const PATIENCE_MS = 10_000;

/** A `select` function whose source runs elsewhere. */
export function customSelect(code: string): Select {
  return async (features, request) => {
    const sandbox = new Worker(new URL('./sandbox.ts', import.meta.url), { type: 'module' });
    try {
      return await new Promise<number[]>((resolve, reject) => {
        const timer = setTimeout(
          () =>
            reject(new Error(`Your select did not return within ${PATIENCE_MS / 1000} s and was stopped.`)),
          PATIENCE_MS,
        );
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          act();
        };
        sandbox.onmessage = ({ data }: MessageEvent<SandboxReply>) =>
          settle(() => ('indices' in data ? resolve([...data.indices]) : reject(new Error(data.problem))));
        sandbox.onerror = (event) =>
          settle(() => reject(new Error(event.message || 'Your select could not be run.')));
        sandbox.postMessage({ code, features, request });
      });
    } finally {
      sandbox.terminate();
    }
  };
}
