// The contract of a route: the few ways in which transformers.js models take vision features in.

import type { ModelInputs, ModelLike, TensorLike } from '../upstream/types.js';

/** All outputs of the vision encoder for a prompt. */
export interface EncodedVision {
  /** What the language model receives, `[…, D]`; one row per vision token, in prompt order. */
  readonly projected: TensorLike;
  /** The encoder's other outputs by name, candidates for features from before the projector. */
  readonly others: Readonly<Record<string, TensorLike>>;
  /** How much each vision token matters by the encoder's own account, where it has such an output. */
  readonly saliency?: TensorLike;
}

/** The original `forward` of a model, on the model itself or on a stand-in for one call. */
export type Forward = (inputs: ModelInputs, self?: ModelLike) => Promise<Record<string, TensorLike>>;

/** A prompt with its removed tokens gone: what the language model is to see. */
export interface ShortPrompt {
  /** Everything `forward` was called with, with shortened `input_ids`, `attention_mask` and `position_ids`. */
  readonly inputs: ModelInputs;
  readonly ids: TensorLike;
  /** Columns of the kept vision tokens of each row. */
  readonly slots: readonly (readonly number[])[];
  /** `[tokens, D]`: the kept vision tokens of all rows. */
  readonly kept: TensorLike;
  /** Columns of the prompt as it was that are kept, per row; −1 is padding. */
  readonly columns: readonly (readonly number[])[];
}

/** How vision features get into a model. Stateless: everything it needs is passed in. */
export interface Route {
  /** Sessions that must be loaded. */
  readonly sessions: readonly string[];
  /** The session that decodes, whose inputs tell whether positions can be given. */
  readonly decoder: string;
  /** Whether vision tokens go into an encoder before the text, rather than into the prompt of a decoder. */
  readonly isEncoder?: boolean;
  /** The inputs that go with text ids alone, where a further turn over a cache needs them. */
  readonly textOnly?: (ids: TensorLike) => ModelInputs;
  /** Names of the inputs that carry images; gone from the model's inputs once the prompt is processed. */
  readonly imageInputs: readonly string[];
  /** Columns of the prompt that stand for vision tokens, if the inputs tell rather than the ids. */
  readonly slots?: (inputs: ModelInputs) => number[][];
  /** Runs the vision encoder. */
  encode(model: ModelLike, inputs: ModelInputs): Promise<EncodedVision>;
  /** Input embeddings `[1, tokens, D]` of text ids `[1, tokens]`. */
  embedText(model: ModelLike, ids: TensorLike): Promise<TensorLike>;
  /** Processes the shortened prompt. */
  prefill(model: ModelLike, forward: Forward, prompt: ShortPrompt): Promise<Record<string, TensorLike>>;
}
