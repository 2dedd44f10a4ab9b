// The interface between the HTTP server and an engine.

import type { CheckedImage } from './images/load.js';
import type { ChatBody, Overrides } from './request/chat.js';

/** What pruning did to one request; the extension field `mmtok` of an answer. */
export interface PruningSummary {
  /** Why tokens were dropped or not, e.g. `pruned` or `disabled`. */
  readonly reason: string;
  /** Vision tokens of all images before pruning. */
  readonly visionTokens: number;
  /** Vision tokens that the language model received. */
  readonly keptTokens: number;
  /** The share of each objective that the kept tokens cover, 0 to 1, averaged over the images. */
  readonly coverage?: Readonly<Record<string, number>> | undefined;
  readonly images: readonly { readonly visionTokens: number; readonly keptTokens: number }[];
  /** Milliseconds by stage, e.g. `encodeMs`, `selectMs`. */
  readonly timings: Readonly<Record<string, number>>;
}

/** Tokens of a request as the engine counted them, in OpenAI's names. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** One checked chat request. */
export interface ChatJob {
  /** A unique id for the answer and the log. */
  readonly id: string;
  /** The request's body without `mmtok`. The n-th `image_url` part of its messages is the n-th image. */
  readonly body: ChatBody;
  readonly images: readonly CheckedImage[];
  /** Overrides of this call; `false` turns pruning off. */
  readonly overrides: Overrides | false;
  /** The engine calls this as soon as it knows, for the header, the metrics and the log. */
  readonly observe: (seen: { readonly summary?: PruningSummary; readonly usage?: Usage }) => void;
}

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An engine's answer. `raw` is the answer of another server, passed through unchanged. */
export type ChatReply =
  | { readonly kind: 'json'; readonly body: JsonObject }
  | { readonly kind: 'events'; readonly events: ReadableStream<Uint8Array> }
  | {
      readonly kind: 'raw';
      readonly status: number;
      readonly body: string;
      readonly headers: Readonly<Record<string, string>>;
    };

/** Answers chat requests. */
export interface Engine {
  readonly name: 'local' | 'vllm';
  /** The model's name in requests and in `/v1/models`. */
  readonly modelId: string;
  /** @throws ServeError with the status that the client gets. */
  chat(job: ChatJob, signal: AbortSignal): Promise<ChatReply>;
  /** Whether requests can be answered now, and the reason if not. */
  readiness(): { readonly ready: boolean; readonly reason?: string };
  /** Running and waiting requests. */
  load(): { readonly running: number; readonly queued: number };
  close(): Promise<void>;
}

/** The selections of an image, with their coverage. */
interface Covered {
  readonly selections: readonly { readonly coverage: Readonly<Record<string, number>> }[];
}

/** The coverage of each term, averaged over the selections that have it; `undefined` if nothing was selected. */
export function meanCoverage(images: readonly Covered[]): Readonly<Record<string, number>> | undefined {
  const all = images.flatMap(({ selections }) => selections.map(({ coverage }) => coverage));
  const terms = [...new Set(all.flatMap((coverage) => Object.keys(coverage)))];
  if (terms.length === 0) return undefined;
  const mean = (term: string): number => {
    const values = all.flatMap((coverage) => coverage[term] ?? []);
    return values.reduce((total, value) => total + value, 0) / values.length;
  };
  return Object.fromEntries(terms.map((term) => [term, mean(term)]));
}
