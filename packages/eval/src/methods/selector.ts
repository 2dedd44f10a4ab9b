// The interface of every pruning method: features of one image and a number in, that many tokens out. No method here.

import type { Backend, Float32Tensor } from '@mmtok/core';

/** What a method may look at, for one image and one question. */
export interface SelectorInput {
  /** Where matrices of similarities are computed. */
  readonly backend: Backend;
  /** `[n, D]`: the vision tokens as the language model would receive them. */
  readonly vision: Float32Tensor;
  /** `[n, d]`: the features before the projector; the projected tokens where a model does not give them. */
  readonly visionFeatures: Float32Tensor;
  /**
   * `[m, D]`: input embeddings of the question's tokens and, for methods with an agent, of the words it added. Absent
   * where there are none.
   */
  readonly text?: Float32Tensor;
  /** `[rows, columns]` of the vision tokens, where all of them form one grid in raster order. */
  readonly grid?: readonly [rows: number, columns: number];
  /** Tokens of each tile, in order, where the picture was cut up. */
  readonly tiles?: readonly number[];
  /** One number ≥ 0 per vision token, e.g. the attention it gets from the encoder's class token. */
  readonly saliency?: Float32Array;
  /** For methods that draw at random: the same for the same run, image and question. */
  readonly seed: number;
}

/** What a method cannot do without, beside the vision tokens. */
export type SelectorNeed = 'text' | 'saliency';

/** Who answers a question before the method is asked: a model, or an oracle that is told the true answer. */
export type AgentRole = 'agent' | 'oracle';

/** A pruning method. Make one with `defineMethod`, which checks what it returns. */
export interface Selector {
  /** Kebab-case, e.g. `'divprune'`: its name in records, reports and on the command line. */
  readonly name: string;
  /** For people, e.g. `'DivPrune'`. */
  readonly title: string;
  /** Where the method is described: a URL, or a title where none is known. */
  readonly source: string;
  readonly needs: readonly SelectorNeed[];
  /** Whose words join the question's in `text`. Absent: the question stands alone. */
  readonly agent?: AgentRole;
  /**
   * Picks `k` of the n vision tokens: indices without repeats, in the order they were picked.
   * @param k from 1 to n.
   */
  select(input: SelectorInput, k: number): Promise<readonly number[]>;
}
