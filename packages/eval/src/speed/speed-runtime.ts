// The part of ONNX Runtime's JavaScript API that the decoder needs, so that callers can pass the copy that is already loaded.

/** A tensor of onnxruntime. */
export interface SpeedTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** A loaded graph. */
export interface SpeedSession {
  run(feeds: Readonly<Record<string, SpeedTensor>>): Promise<Readonly<Record<string, SpeedTensor>>>;
  release(): Promise<void>;
}

/** The module `onnxruntime-node`. */
export interface SpeedRuntime {
  readonly InferenceSession: {
    create(path: string, options?: Readonly<Record<string, unknown>>): Promise<SpeedSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => SpeedTensor;
}
