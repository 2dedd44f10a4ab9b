// How vision features get into a model: what every adapter does, and what is passed to it.

import type { ModelInputs, ModelLike, TensorLike } from '../internal/types.js';

/** All outputs of the vision encoder for a batch. */
export interface EncodedVision {
  /** What the language model receives, `[…, D]`: one row per vision token, in prompt order. */
  readonly projected: TensorLike;
  /** The encoder's other outputs by name: candidates for features before the projector. */
  readonly others: Readonly<Record<string, TensorLike>>;
  /** One importance value per vision token, if the encoder has such an output. */
  readonly saliency?: TensorLike;
}

/** The original `forward` of a model, called on the model itself or on a stand-in for one call. */
export type Forward = (inputs: ModelInputs, self?: ModelLike) => Promise<Record<string, TensorLike>>;

/** A batch of prompts without their removed tokens: the input of the language model. */
export interface ShortPrompt {
  /** Everything that was passed to `forward`, with shortened `input_ids`, `attention_mask` and `position_ids`. */
  readonly inputs: ModelInputs;
  readonly ids: TensorLike;
  /** Positions of the kept vision tokens in each shortened prompt. */
  readonly visionPositions: readonly (readonly number[])[];
  /** `[tokens, D]`: the kept vision tokens of all prompts. */
  readonly kept: TensorLike;
}

/** How vision features get into a model. Stateless: everything it needs is passed in. */
export interface ModelAdapter {
  /** Sessions that must be loaded. */
  readonly sessions: readonly string[];
  /** The session that encodes images. */
  readonly encoder: string;
  /** The session that decodes. Its inputs show whether positions can be passed. */
  readonly decoder: string;
  /**
   * Where vision tokens go: at the placeholders in the prompt, or before the text in the input of an encoder, as in
   * encoder-decoder models.
   */
  readonly placement: 'placeholders' | 'beforeText';
  /** The inputs that go with text-only ids, if another turn over a cache needs them. */
  readonly textOnly?: (ids: TensorLike) => ModelInputs;
  /** Names of the inputs that carry images; removed from the model's inputs once the prompt is processed. */
  readonly imageInputs: readonly string[];
  /** Inputs that the model's class does not pass on to `forward`, but that this adapter reads there. */
  readonly forwardInputs?: readonly string[];
  /** Positions of the placeholders in each prompt, if the inputs define them rather than the ids. */
  readonly placeholders?: (inputs: ModelInputs) => number[][];
  /** Runs the vision encoder. */
  encode(model: ModelLike, inputs: ModelInputs): Promise<EncodedVision>;
  /** Input embeddings `[1, tokens, D]` of text ids `[1, tokens]`. */
  embedText(model: ModelLike, ids: TensorLike): Promise<TensorLike>;
  /** Processes the shortened prompt. */
  prefill(model: ModelLike, forward: Forward, prompt: ShortPrompt): Promise<Record<string, TensorLike>>;
}
