// What commands need of a vision-language model: ask it, pruned or not. The real one is pruned-vlm.ts.

import type { Backend, Budget, ObjectiveTerm } from '@mmtok/core';
import type { Agent } from '@mmtok/transformers';
import type { Picture } from '../images/picture.js';
import type { TokenView } from '../overlay/overlay.js';

/** How to run a model. */
export interface VlmOptions {
  /** `tiny`, `tiny-small`, a hub id such as `HuggingFaceTB/SmolVLM2-256M-Video-Instruct`, or a folder. */
  readonly model: string;
  /** Where tokens are selected; the model disposes it with itself. */
  readonly backend: Backend;
  /** An execution provider, e.g. `webgpu`. */
  readonly device?: string;
  /** A precision such as `q4`, for all parts of the model or by part. */
  readonly dtype?: string | Readonly<Record<string, string>>;
  /** A prompt with `<image>` and `{question}` in place of the model's chat template. */
  readonly promptTemplate?: string;
  /** Answers first, so that its words join the question's; whoever made it disposes it. */
  readonly agent?: Agent;
  /** The objective in place of the paper's. */
  readonly coverage?: readonly ObjectiveTerm[];
}

/** A question about pictures. */
export interface Request {
  readonly pictures: readonly Picture[];
  readonly question: string;
  /** How many vision tokens of each picture to keep; `'all'` runs the model untouched. */
  readonly budget: Budget | 'all';
  readonly maxNewTokens?: number;
  /** Receives the answer piece by piece. */
  readonly onText?: (text: string) => void;
}

/** Milliseconds per phase. */
export interface Timings {
  /** Resizing pictures, building and tokenizing the prompt. */
  readonly prepareMs: number;
  /** The vision encoder. */
  readonly encodeMs: number;
  /** Choosing the tokens. */
  readonly selectMs: number;
  /** The language model over the prompt: what pruning shortens. */
  readonly prefillMs: number;
  /** From pixels to the first token: encoder, selection, and prefill. */
  readonly firstTokenMs: number;
  /** The language model over the answer. */
  readonly decodeMs: number;
  /** From pictures and question to the whole answer. */
  readonly totalMs: number;
}

/** What became of one picture. */
export interface PictureTokens {
  readonly visionTokens: number;
  /** Kept tokens, ascending, counted from the picture's first. */
  readonly indices: readonly number[];
  /** For each coverage term, the share of what all tokens cover that the kept ones cover. */
  readonly coverage: Readonly<Record<string, number>>;
  /** The picture as the encoder saw it, tile by tile; empty where its tokens form no grid. */
  readonly views: readonly TokenView[];
  /** Tiles that lie beside each other, where the picture was cut up. */
  readonly viewColumns?: number;
}

/** What an agent said first, and what of it joined the question. */
export interface AgentWords {
  /** One per picture. */
  readonly answers: readonly string[];
  readonly added: readonly string[];
  readonly ms: number;
}

/** An answer, and what it took. */
export interface Answer {
  readonly text: string;
  /** Vision tokens of all pictures, and how many of them the language model saw. */
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** One per picture; empty where nothing was pruned. */
  readonly pictures: readonly PictureTokens[];
  readonly timings: Timings;
  /** Absent where no agent was asked. */
  readonly agent?: AgentWords;
  /** What the user should know, in words. */
  readonly notes: readonly string[];
}

/** A loaded model with pruning attached. */
export interface Vlm {
  /** What was asked for: an embedded model, a hub id or a folder. */
  readonly name: string;
  /** Where similarities are computed, e.g. `ort (cpu)`. */
  readonly backend: string;
  ask(request: Request): Promise<Answer>;
  /** Frees the model and its backend. */
  dispose(): Promise<void>;
}
