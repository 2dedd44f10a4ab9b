// Describes a family of vision-language models: its files, its sessions, and how its processor is called.
import type {
  Message,
  PreTrainedModel,
  PreTrainedTokenizer,
  Processor,
  RawImage,
  Tensor,
} from '@huggingface/transformers';
import type { DecoderOptions } from './decoder/decoder.js';
import type { GraphBuilder, Value } from './graph/graph-builder.js';
import type { VisionOptions } from './vision/image-features.js';

/** The content of a JSON file. */
export type Json = Readonly<Record<string, unknown>>;

/** A class of transformers.js that loads a model folder. */
export interface ModelClass {
  readonly name: string;
  from_pretrained(path: string, options: { local_files_only: boolean }): Promise<PreTrainedModel>;
}

/** What `generate` and `forward` take, by name. */
export type ModelInputs = Record<string, Tensor>;

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** What the sessions of a model are built with. */
export interface Build {
  readonly vision: VisionOptions;
  readonly positions: DecoderOptions['positions'];
  /** Starts the graph that becomes `onnx/${file}.onnx`. */
  graph(file: string): GraphBuilder;
}

/** The ids of tokens by their text. */
export type TokenIds = (token: string) => number;

/** The parts that turn text and images into inputs. */
export interface Tools {
  readonly processor: Processor;
  readonly tokenizer: PreTrainedTokenizer;
}

/** A question about images, as a conversation and as what the chat template makes of it. */
export interface Request {
  readonly messages: readonly Message[];
  readonly prompt: string;
  readonly images: readonly RawImage[];
}

export interface Family {
  /** `model_type` in config.json. */
  readonly name: string;
  readonly modelClass: ModelClass;
  /** The name in config.json's `architectures`. @default the name of the class */
  readonly architecture?: string;
  /** The token that stands for one visual token in `input_ids`. */
  readonly imageToken: string;
  /** The image token and all other special tokens of the family. */
  readonly specialTokens: readonly string[];
  /** Size of the images that tests use, and the visual tokens that such an image becomes. */
  readonly imageSize: ImageSize;
  readonly tokensPerImage: number;
  /** The layout of the vision tokens in the image, row by row, for families that encode it as a whole. */
  readonly grid?: { readonly rows: number; readonly columns: number };
  /** Width of the features before the projector. */
  readonly visionFeatureSize: number;
  /** Whether the features before the projector come in the order of the visual tokens. @default true */
  readonly visionFeaturesInOrder?: boolean;
  /** Whether a prompt can hold several images when the processor is called as its users do. */
  readonly severalImages: boolean;
  /** @default 'position_ids' */
  readonly positions?: DecoderOptions['positions'];
  /** config.json without `model_type`, `architectures` and the token ids that all families have. */
  config(id: TokenIds): Json;
  /** Further keys of tokenizer_config.json. */
  readonly tokenizerConfig?: Json;
  readonly chatTemplate: string;
  /** Where the chat template is kept. @default 'tokenizer_config' */
  readonly chatTemplateIn?: 'tokenizer_config' | 'tokenizer_config by name' | 'chat_template.jinja';
  /** preprocessor_config.json */
  readonly preprocessor: Json;
  /** processor_config.json */
  readonly processor?: Json;
  /** Builds all graphs; returns the name of the tensor before the projector. */
  sessions(build: Build): { readonly visionFeatures: Value };
  /** Calls the processor as a user of this family does. */
  process(tools: Tools, request: Request): Promise<ModelInputs>;
  /** Positions in the flattened embeddings of a prompt that hold visual tokens. @default where the image token is */
  visualSlots?(inputs: ModelInputs, tokensPerImage: number): number[];
}
