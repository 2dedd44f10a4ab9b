// The messages between the page and the worker.
import type { PruneReport, Usage } from '@mmtok/transformers';

/** From the page. */
export type ToWorker =
  | { readonly type: 'load'; readonly model: string; readonly assets: string }
  | {
      readonly type: 'ask';
      readonly id: number;
      readonly image: Blob;
      readonly question: string;
      /** Share of the vision tokens to keep; 1 keeps all of them. */
      readonly keep: number;
    }
  | { readonly type: 'stop'; readonly id: number };

/** From the worker. Reports are plain data, so they are posted as they are. */
export type ToPage =
  | { readonly type: 'progress'; readonly file: string; readonly loaded: number; readonly total: number }
  | { readonly type: 'ready'; readonly family: string }
  | { readonly type: 'piece'; readonly id: number; readonly text: string }
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly text: string;
      readonly report: PruneReport;
      readonly usage: Usage;
    }
  | { readonly type: 'failed'; readonly id?: number; readonly message: string };
