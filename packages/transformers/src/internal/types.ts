// The members of transformers.js objects that pruning uses, described by shape so that any copy of the library fits.

/** A copy of transformers.js. */
export type Library = typeof import('@huggingface/transformers');

/** The element arrays used here. `float16` is a `Uint16Array` in Node 20. */
export type TensorData = Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array;

/** A tensor of ONNX Runtime, inside a {@link TensorLike}. */
export interface OrtTensorLike {
  readonly dims: readonly number[];
}

/** A tensor of transformers.js. */
export interface TensorLike {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
  readonly ort_tensor?: unknown;
  to(type: string): TensorLike;
}

/** A session of ONNX Runtime. */
export interface SessionLike {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** What transformers.js records about it: precision and device. */
  config?: unknown;
  run(feeds: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  release?(): Promise<void>;
}

/** transformers.js' `DynamicCache`: key/value tensors by name. */
export interface CacheLike {
  get_seq_length(): number;
  /** Frees GPU memory. */
  dispose(): Promise<void>;
}

/** The inputs that `generate()` passes from step to step. */
export type ModelInputs = Record<string, unknown>;

/** The configuration of a model, as read from `config.json`. */
export type ModelConfig = Readonly<Record<string, unknown>>;

/** A model of transformers.js: a callable object. */
export interface ModelLike {
  readonly config: ModelConfig;
  sessions: Record<string, SessionLike>;
  forward_params: string[];
  forward(inputs: ModelInputs): Promise<Record<string, TensorLike>>;
  generate(options: ModelInputs): Promise<unknown>;
  prepare_inputs_for_generation(allIds: unknown, inputs: ModelInputs, config: unknown): ModelInputs;
  get_rope_index?(
    ids: TensorLike,
    imageGrid: TensorLike | undefined,
    videoGrid: undefined,
    mask: TensorLike,
  ): [positions: TensorLike, deltas: TensorLike];
  _prepare_inputs_embeds?(inputs: ModelInputs): Promise<ModelInputs>;
  _encode_input?(session: string, inputs: ModelInputs, output: string): Promise<unknown>;
}

/** A tokenizer of transformers.js. */
export interface TokenizerLike {
  (
    text: string,
    options: { readonly add_special_tokens: boolean; readonly return_tensor: false },
  ): { readonly input_ids: readonly number[] };
  decode(ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string;
  convert_tokens_to_ids(token: string): number | undefined;
  readonly all_special_tokens?: readonly string[];
  readonly chat_template?: unknown;
  apply_chat_template?(
    messages: readonly unknown[],
    options: { readonly tokenize: false; readonly add_generation_prompt: boolean },
  ): unknown;
}

/** A processor of transformers.js. */
export interface ProcessorLike {
  readonly tokenizer: TokenizerLike;
  /** `processor_config.json`, for classes that read it. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly image_processor?: { readonly config?: Readonly<Record<string, unknown>> };
  apply_chat_template?(
    messages: readonly unknown[],
    options: { readonly tokenize: false; readonly add_generation_prompt: boolean },
  ): unknown;
}

/** Whether a value looks like a tensor. */
export function isTensor(value: unknown): value is TensorLike {
  return typeof value === 'object' && value !== null && 'dims' in value && 'data' in value && 'type' in value;
}

/** The tensor under a name, if there is one. */
export function tensorAt(inputs: ModelInputs, name: string): TensorLike | undefined {
  const value = inputs[name];
  return isTensor(value) ? value : undefined;
}

/** The sub-object of a configuration under a name, or an empty one. */
export function section(config: ModelConfig, name: string): ModelConfig {
  const value = config[name];
  return typeof value === 'object' && value !== null ? (value as ModelConfig) : {};
}

/** The number in a configuration under the first name that has one. */
export function numberAt(config: ModelConfig, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = config[name];
    if (typeof value === 'number') return value;
  }
  return undefined;
}
