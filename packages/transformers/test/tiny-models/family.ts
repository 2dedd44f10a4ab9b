// What a family of vision-language models says about itself: files, sessions, and how its processor is called. Data and small functions.
import type {
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

export interface Family {
  /** `model_type` in config.json. */
  readonly name: string;
  readonly modelClass: ModelClass;
  /** The token that stands for one visual token in `input_ids`. */
  readonly imageToken: string;
  /** The image token and all other special tokens of the family. */
  readonly specialTokens: readonly string[];
  /** Size of the images that tests use, and the visual tokens that such an image becomes. */
  readonly imageSize: ImageSize;
  readonly tokensPerImage: number;
  /** Width of the features before the projector. */
  readonly visionFeatureSize: number;
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
  /** Calls the processor as a user of this family does. `prompt` comes from the chat template. */
  process(tools: Tools, prompt: string, images: readonly RawImage[]): Promise<ModelInputs>;
  /** Positions in the flattened embeddings of a prompt that hold visual tokens. @default where the image token is */
  visualSlots?(inputs: ModelInputs, tokensPerImage: number): number[];
}
