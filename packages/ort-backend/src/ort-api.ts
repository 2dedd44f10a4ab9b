// The part of ONNX Runtime's JavaScript API that the backend uses, so that onnxruntime-node and -web both fit.

/** A tensor of onnxruntime. */
export interface OrtTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** A loaded graph. */
export interface OrtSession {
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, OrtTensor | null>>,
  ): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

/** The module `onnxruntime-node`, `onnxruntime-web` or `onnxruntime-web/webgpu`. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  readonly env?: {
    readonly versions?: { readonly common?: string; readonly node?: string; readonly web?: string };
  };
}
