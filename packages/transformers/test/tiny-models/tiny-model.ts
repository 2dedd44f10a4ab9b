// A tiny model on disk, with the facts that tests need.
import type {
  Message,
  PreTrainedModel,
  PreTrainedTokenizer,
  Processor,
  RawImage,
} from '@huggingface/transformers';
import type { DecoderOptions } from './decoder/decoder.js';
import type { ImageSize, ModelClass, ModelInputs } from './family.js';

export interface TinyModelOptions {
  /** An empty folder that the caller owns; a folder named after the family is made in it. */
  readonly directory: string;
  /** Seed of all weights. @default 1 */
  readonly seed?: number;
  /** Whether the last feature of visual token i is the number i, to see which rows were gathered. @default false */
  readonly markRows?: boolean;
  /** Whether the features before the projector are a second output `vision_features`. @default false */
  readonly exposeVisionFeatures?: boolean;
  /** Adds an output `vision_saliency` with one number per vision token. @default false */
  readonly exposeSaliency?: boolean;
  /**
   * `false` leaves the input `position_ids` out of the decoder, which then counts the attention mask. Families with
   * mRoPE refuse it: the library computes their positions in any case and fails without that input. @default true
   */
  readonly positionIds?: boolean;
}

export interface TinyModel {
  readonly family: string;
  readonly path: string;
  readonly modelClass: ModelClass;
  /** The image size that gives `tokensPerImage` visual tokens. */
  readonly imageSize: ImageSize;
  readonly tokensPerImage: number;
  /** The layout of the vision tokens in the image, row by row, for families that encode it as a whole. */
  readonly grid: { readonly rows: number; readonly columns: number } | undefined;
  readonly imageTokenId: number;
  /** Width of the language model. */
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly eosTokenId: number;
  /** Where the decoder takes positions from. */
  readonly positions: DecoderOptions['positions'];
  /** Whether a prompt can hold several images. */
  readonly severalImages: boolean;
  /** The inner tensor before the projector, with one row per visual token. */
  readonly visionFeatures: {
    /** The session, and `onnx/${file}.onnx`. */
    readonly file: string;
    readonly tensor: string;
    /** Width of a row. */
    readonly size: number;
    /** Whether row i belongs to visual token i. */
    readonly inOrder: boolean;
  };
  /** Places of the visual tokens in the flattened embeddings of a prompt. */
  visualSlots(inputs: ModelInputs): number[];
  /** Loads model, processor and tokenizer from the folder, offline. */
  load(): Promise<LoadedTinyModel>;
}

export interface LoadedTinyModel {
  readonly model: PreTrainedModel;
  readonly processor: Processor;
  readonly tokenizer: PreTrainedTokenizer;
  /** Inputs for `generate`: a question (or a whole conversation, with its own image parts) about some images. */
  inputs(question: string | Message[], images: readonly RawImage[]): Promise<ModelInputs>;
  dispose(): Promise<void>;
}
