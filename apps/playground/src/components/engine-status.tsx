// Whether the model has loaded: bytes while it loads, where it runs after that.

import type { JSX } from 'preact';
import { megabytes } from '../lib/format.js';
import type { EngineFacts } from '../lib/types.js';
import { restart } from '../state/page.js';
import { engine } from '../state/store.js';

/** The place where a model runs, in words. */
export function placeOf({ device, threads }: EngineFacts): string {
  if (device === 'webgpu') return 'WebGPU';
  return threads > 1 ? `WebAssembly, ${threads} threads` : 'WebAssembly, 1 thread';
}

/** The line at the top of the page. */
export function EngineStatus(): JSX.Element {
  const state = engine.value;
  switch (state.phase) {
    case 'ready':
      return (
        <p class="engine is-ready" data-engine="ready">
          <i aria-hidden="true" />
          {state.facts.modelId} <span>{placeOf(state.facts)}</span>
        </p>
      );
    case 'failed':
      return (
        <p class="engine is-failed" data-engine="failed">
          <i aria-hidden="true" />
          The model could not be loaded.
          <button type="button" class="link" onClick={() => void restart()}>
            Try again
          </button>
        </p>
      );
    default: {
      const { loaded, total } = state.phase === 'loading' ? state : { loaded: 0, total: 0 };
      return (
        <p class="engine is-loading" data-engine="loading">
          <progress aria-label="Loading the model" {...(total > 0 && { value: loaded, max: total })} />
          <span>
            {total > 0
              ? `Loading the model: ${megabytes(loaded)} of ${megabytes(total)}`
              : 'Loading the model'}
          </span>
        </p>
      );
    }
  }
}
