// Describes what the rest of the package needs to know about a model family.

import type { ModelAdapter } from '../adapters/adapter.js';
import type { Packing } from '../internal/anyres.js';
import type { ModelConfig, ModelInputs, ModelLike, ProcessorLike, TensorLike } from '../internal/types.js';
import type { ImagePart } from '../report.js';
import type { Tiling } from './tiling.js';

/** A tile, an untiled image, or a frame, as the vision encoder sees it, with its vision tokens. */
export interface Tile {
  readonly visionTokens: number;
  /** `[rows, columns]` of the tokens in the image, if they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** The inputs for splitting the encoder's output into tiles. */
export interface TileContext {
  readonly config: ModelConfig;
  readonly inputs: ModelInputs;
  /** The encoder's output, `[tiles, tokens, D]` or `[tokens, D]`. */
  readonly features: TensorLike;
  /** Lengths of the runs of consecutive placeholders in the prompt, in order. */
  readonly runs: readonly number[];
}

/** Where the placeholders of a tile are in its prompt. Used to find the last tile of each image. */
export interface TilePlace {
  readonly ids: readonly number[];
  /** Prompt positions of the tile's first and last placeholder. */
  readonly first: number;
  readonly last: number;
  /** The id of a token in the vocabulary. */
  readonly tokenId: (token: string) => number | undefined;
}

/** A checkpoint that transformers.js can load, for the documentation. */
export interface Checkpoint {
  readonly id: string;
  /** Number of parameters, e.g. `'0.9 B'`. */
  readonly size: string;
}

/**
 * How the official code prepares a question. `'keywords'` (LLaVA): words without stop words; a question that consists only of
 * stop words is used as is, including punctuation. `'prefixed'` (Qwen): the full text after `Question: `. Both tokenize each word
 * separately.
 */
export type OfficialText = 'keywords' | 'prefixed';

/** A family whose models can be pruned. */
export interface PrunedFamily {
  readonly status: 'pruned';
  readonly name: string;
  /** Values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** The transformers.js class that loads the model: one for all model types, or one per model type. */
  readonly className: string | Readonly<Record<string, string>>;
  /** The `model_type` whose file layout the model uses, if transformers.js does not know the model's own type. */
  readonly loadedAs?: string;
  /** How vision features enter the model. */
  readonly adapter: ModelAdapter;
  /** `'1d'`: positions from the attention mask. `'mrope'`: three axes, from `get_rope_index`. `'encoder'`: counted by the encoder. */
  readonly positions: '1d' | 'mrope' | 'encoder';
  /** The first 1-D position. @default 0 */
  readonly firstPosition?: number;
  /** Whether a prompt token is a placeholder for a vision token. Absent if the prompt has no placeholders. */
  readonly isPlaceholder?: (config: ModelConfig) => (id: number) => boolean;
  /** How the encoder's output splits into tiles. */
  readonly tiles: (context: TileContext) => readonly Tile[];
  /**
   * The order of each image's rows in the prompt, if it differs from the encoder's output. Such a family is pruned with compact
   * positions, because padding rows have no positions.
   */
  readonly packing?: (config: ModelConfig, inputs: ModelInputs) => readonly Packing[];
  /** Which tokens share a budget by default. @default 'perImage' */
  readonly allocation?: 'perTile';
  /** Whether a tile is the last of its image. Absent: every tile is an image. */
  readonly endsImage?: (place: TilePlace) => boolean;
  /** Which part of its image a tile shows, according to its marker. Absent if the prompt does not say. */
  readonly tileAt?: (place: TilePlace) => ImagePart | undefined;
  /** How the encoder takes tiles. Absent if it takes whole images. */
  readonly tiling?: Tiling;
  /** Why tiles cannot be selected, if the family's models tile images elsewhere: the end of "`tiles`: …". */
  readonly noTiles?: string;
  /** How the official code prepares a question, for `text: 'official'`. @default 'keywords', as for LLaVA */
  readonly officialText?: OfficialText;
  /** Default temperature of text coverage. */
  readonly textTemperature: number;
  /** Where to find features from before the projector. */
  readonly tap: 'projector' | 'none';
  /** Special notes for the support table. */
  readonly notes: string;
  readonly checkpoints: readonly Checkpoint[];
}

/** The properties shared by families of one layout. */
export type FamilyLayout = Omit<PrunedFamily, 'name' | 'modelTypes' | 'className' | 'notes' | 'checkpoints'>;

/** A family that transformers.js can run but that cannot be pruned here. */
export interface UnsupportedFamily {
  readonly status: 'unsupported';
  readonly name: string;
  readonly modelTypes: readonly string[];
  /** The reason, as the end of the sentence "The model cannot be pruned: …". */
  readonly reason: string;
}

/** A family of models. */
export type ModelFamily = PrunedFamily | UnsupportedFamily;

/** A loaded model with its family and its processor, as used by every stage of a call. */
export interface PrunedModel {
  readonly model: ModelLike;
  readonly family: PrunedFamily;
  readonly processor: ProcessorLike;
}
