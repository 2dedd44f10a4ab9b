// The messages between the page and the worker. Types only, so the page's bundle contains no model code.
import type { PruneReport, Usage } from '@mmtok/transformers';

export type ToWorker =
  | { readonly type: 'load'; readonly model: string; readonly assets: string }
  | { readonly type: 'ask'; readonly image: Blob; readonly question: string; readonly keep: number };

export type ToPage =
  | { readonly type: 'ready'; readonly family: string }
  | { readonly type: 'piece'; readonly text: string }
  | { readonly type: 'answer'; readonly text: string; readonly report: PruneReport; readonly usage: Usage }
  | { readonly type: 'failed'; readonly message: string };
