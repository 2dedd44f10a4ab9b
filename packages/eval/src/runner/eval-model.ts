// What an evaluation needs of a model: answer a question about pictures, and let a method choose the vision tokens.

import type { Budget } from '@mmtok/core';
import type { MethodFeatures, MethodNeed } from '../methods/method.js';
import type { ImageSource } from '../tasks/task.js';

/** What a model hands to a method for one picture. */
export interface ImageFeatures extends MethodFeatures {
  /** The number of the picture among the question's. */
  readonly picture: number;
}

/** How many tokens of a picture to keep: budgets that do not depend on coverage. */
export type TokenBudget = Exclude<Budget, { readonly coverage: number }>;

/** How a model is to prune. */
export interface ModelPruning {
  /** For each picture, or one for all. */
  readonly budget: TokenBudget | readonly TokenBudget[];
  /**
   * Chooses `tokens` vision tokens of one picture; called for each that has more than its budget allows. The model goes on
   * with the tokens that come back, in raster order.
   */
  readonly select: (features: ImageFeatures, tokens: number) => Promise<readonly number[]>;
  /** Whether kept tokens keep the positions of the full prompt, and features tell these. */
  readonly keepsPositions?: boolean;
}

/** One question. */
export interface ModelRequest {
  /** A model keeps a picture encoded for as long as requests name the same pictures by `id`. */
  readonly images: readonly ImageSource[];
  /** The user text, without image placeholders. */
  readonly prompt: string;
  readonly maxNewTokens: number;
  /** Words of a first answer, which join the question's in the `text` that is handed to `select`. Absent for none. */
  readonly words?: readonly string[];
  /**
   * Make each picture cost at most so many vision tokens before it is encoded, and keep those. Only asked of models that give
   * `'resolution'`.
   */
  readonly fitTokens?: number;
  /** Absent: the model keeps all tokens, on the same path otherwise, so that times compare. */
  readonly prune?: ModelPruning;
}

/** What became of one picture. */
export interface ModelImage {
  readonly visionTokens: number;
  /** Kept tokens, ascending. */
  readonly indices: readonly number[];
  /** `[rows, columns]` where the tokens form one grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** Milliseconds per phase; the runner itself times the method. */
export interface ModelTimings {
  /** The vision encoder; 0 where the picture was encoded already. */
  readonly encodeMs: number;
  /** The language model over the prompt. */
  readonly prefillMs: number;
  /** The language model over the answer. */
  readonly decodeMs: number;
}

/** An answer, and what it took. */
export interface ModelAnswer {
  readonly text: string;
  readonly images: readonly ModelImage[];
  readonly timings: ModelTimings;
}

/** A model under evaluation. */
export interface EvalModel {
  /** Shown in records and reports. */
  readonly name: string;
  /** How it runs, e.g. `{ dtype: 'q4' }`: a run goes on with a model of the same name and options only. */
  readonly options?: Readonly<Record<string, string>>;
  /** What it hands to methods beside vision tokens. @default `['question']` */
  readonly gives?: readonly MethodNeed[];
  answer(request: ModelRequest): Promise<ModelAnswer>;
  /** Vision tokens of each picture of a question, before it is answered; absent where a model cannot tell. */
  countTokens?(request: Pick<ModelRequest, 'images' | 'prompt'>): Promise<readonly number[]>;
}
