// The interface of every pruning method: features of one image and a number in, that many tokens out. A method is a function
// as the option `select` of @mmtok/transformers takes it, with a name, a source and what it needs.

import type { Backend, Float32Tensor } from '@mmtok/core';

/** A tile of an image: its vision tokens are `start … start + visionTokens`. */
export interface MethodTile {
  readonly start: number;
  readonly visionTokens: number;
  /** `[rows, columns]` of its tokens, where they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** Where the language model places vision tokens when kept tokens keep the positions of the full prompt. */
export interface TokenPositions {
  /** For each axis of the positions (one, or three with mRoPE) the position of each token. */
  readonly ids: readonly ArrayLike<number>[];
  /** Rotary frequencies θ_d: token p is turned by the angle p · θ_d in dimension pair d. */
  readonly frequencies: ArrayLike<number>;
}

/** What a method chooses from, for one image and one question. */
export interface MethodFeatures {
  /** `[n, D]`: the vision tokens as the language model receives them. */
  readonly vision: Float32Tensor;
  /** `[n, d]`: the features before the projector. @default the vision tokens */
  readonly visionFeatures?: Float32Tensor;
  /**
   * `[m, D]`: input embeddings of the question's tokens and, for methods with an agent, of the words it added. Absent
   * where there are none.
   */
  readonly text?: Float32Tensor;
  /** n numbers ≥ 0, e.g. the attention each vision token gets from the encoder's class token. */
  readonly saliency?: Float32Array;
  /** `[rows, columns]` of the vision tokens, where all of them form one grid in raster order. */
  readonly grid?: readonly [rows: number, columns: number];
  /** The tiles that the tokens belong to, in order. @default one */
  readonly tiles?: readonly MethodTile[];
  /** Absent where the model renumbers kept tokens, or does not tell. */
  readonly positions?: TokenPositions;
}

/** What is asked of a method. */
export interface MethodRequest {
  /** How many tokens to keep, from 1 to the number of eligible ones. */
  readonly tokens: number;
  /** Tokens that must not be kept. The method does not see them. @default none */
  readonly excluded?: readonly number[];
  /** Where similarities are computed. @default the reference backend, in plain JavaScript */
  readonly backend?: Backend;
  /** For methods that draw at random: the same for the same run, image and question. @default 0 */
  readonly seed?: number;
}

/**
 * What a method cannot do without, beside vision tokens: the question's text, a saliency, positions that are preserved, or a
 * processor that makes fewer vision tokens of a smaller picture.
 */
export type MethodNeed = 'question' | 'saliency' | 'positions' | 'resolution';

/** All needs. */
export const METHOD_NEEDS: readonly MethodNeed[] = ['question', 'saliency', 'positions', 'resolution'];

/** Who answers a question before the method is asked: a model, or an oracle that is told the true answer. */
export type AgentRole = 'agent' | 'oracle';

/** A pruning method. Make one with `defineMethod`, which checks what it is given and what it returns. */
export interface Method {
  /** Kebab-case, e.g. `'divprune'`: its name in records, reports and on the command line. */
  readonly name: string;
  /** For people, e.g. `'DivPrune'`. */
  readonly title: string;
  /** Where the method is described: a URL, or a title where none is known. */
  readonly source: string;
  /** Empty where vision tokens are enough. */
  readonly needs: readonly MethodNeed[];
  /** Whose words join the question's in `text`. Absent: the question stands alone. */
  readonly agent?: AgentRole;
  /**
   * Makes the picture smaller before it is encoded, to cost at most as many vision tokens as others keep. `select` is not called.
   */
  readonly resizes?: true;
  /**
   * Picks `request.tokens` of the n vision tokens: indices without repeats, in the order they were picked.
   * @example
   * prune(model, { processor, budget: { ratio: 0.1 }, select: divprune.select });
   */
  readonly select: (features: MethodFeatures, request: MethodRequest) => Promise<readonly number[]>;
}

/** The needs of a method in words: `features only`, or `question, saliency`. */
export function needsInWords({ needs }: { readonly needs: readonly string[] }): string {
  return needs.length === 0 ? 'features only' : needs.join(', ');
}
