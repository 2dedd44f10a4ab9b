// The messages between the page and the worker.
import type { PruneTimings, Usage } from '@mmtok/transformers';

/** From the page. A frame's pixels are transferred, not copied. */
export type ToWorker =
  | { readonly type: 'load'; readonly model: string; readonly assets: string }
  | { readonly type: 'frame'; readonly frame: ImageData; readonly question: string }
  | { readonly type: 'end' };

/** From the worker. */
export type ToPage =
  | { readonly type: 'ready'; readonly family: string }
  | {
      readonly type: 'answer';
      readonly text: string;
      readonly usage: Usage;
      readonly timings: PruneTimings;
    }
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly message: string };
