// What the rest of the package needs to know about a family of models.

import type { ModelAdapter } from '../adapters/adapter.js';
import type { Packing } from '../internal/anyres.js';
import type { ModelConfig, ModelInputs, ModelLike, ProcessorLike, TensorLike } from '../internal/types.js';
import type { ImagePart } from '../report.js';
import type { Tiling } from './tiling.js';

/** A tile, an untiled image, or a frame, as the vision encoder sees it, and its vision tokens. */
export interface Tile {
  readonly visionTokens: number;
  /** `[rows, columns]` of the tokens on the picture, where they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** What a family looks at to split the encoder's output into tiles. */
export interface TileContext {
  readonly config: ModelConfig;
  readonly inputs: ModelInputs;
  /** The encoder's output, `[tiles, tokens, D]` or `[tokens, D]`. */
  readonly features: TensorLike;
  /** Lengths of the runs of neighboring placeholders in the prompt, in order. */
  readonly runs: readonly number[];
}

/** Where the placeholders of a tile are in its prompt, to tell where an image of several tiles ends. */
export interface TilePlace {
  readonly ids: readonly number[];
  /** Positions of the tile's first and last placeholder. */
  readonly first: number;
  readonly last: number;
  /** The id of a token of the vocabulary. */
  readonly tokenId: (token: string) => number | undefined;
}

/** A checkpoint that transformers.js loads, for the documentation. */
export interface Checkpoint {
  readonly id: string;
  /** Parameters, e.g. `'0.9 B'`. */
  readonly size: string;
}

/**
 * What the official code does with a question. `'keywords'` (LLaVA): words without stop words; a question of nothing else keeps
 * its text as it is, punctuation included. `'prefixed'` (Qwen): the whole text after `Question: `. Either tokenizes each word
 * by itself.
 */
export type OfficialText = 'keywords' | 'prefixed';

/** A family whose models are pruned. */
export interface PrunedFamily {
  readonly status: 'pruned';
  readonly name: string;
  /** Values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** The transformers.js class that loads it: one for all model types, or one per model type. */
  readonly className: string | Readonly<Record<string, string>>;
  /** The `model_type` whose layout the files have, where transformers.js does not know the model's own. */
  readonly loadedAs?: string;
  /** How vision features get into the model. */
  readonly adapter: ModelAdapter;
  /** `'1d'`: positions are those of the attention mask. `'mrope'`: three axes, by `get_rope_index`. `'encoder'`: counted by the encoder. */
  readonly positions: '1d' | 'mrope' | 'encoder';
  /** The first 1-D position. @default 0 */
  readonly firstPosition?: number;
  /** Whether a token of the prompt stands for a vision token. Absent where the prompt has no such tokens. */
  readonly isPlaceholder?: (config: ModelConfig) => (id: number) => boolean;
  /** How the encoder's output splits into tiles. */
  readonly tiles: (context: TileContext) => readonly Tile[];
  /**
   * How the rows of each image stand in the prompt, where that is not the order of the encoder's output. Such a family is pruned
   * with contiguous positions, as rows of padding have none of their own.
   */
  readonly packing?: (config: ModelConfig, inputs: ModelInputs) => readonly Packing[];
  /** Whose tokens share a budget unless the caller says so. @default 'perImage' */
  readonly allocation?: 'perTile';
  /** Whether a tile is the last of its image. Absent: every tile is an image. */
  readonly endsImage?: (place: TilePlace) => boolean;
  /** Which part of its image a tile shows, by its marker. Absent where the prompt does not tell. */
  readonly tileAt?: (place: TilePlace) => ImagePart | undefined;
  /** How the encoder takes tiles. Absent where it takes whole images. */
  readonly tiling?: Tiling;
  /** Why tiles cannot be chosen, where the models of the family cut images up elsewhere: the end of "`tiles`: …". */
  readonly noTiles?: string;
  /** What the official code does with a question, for `text: 'official'`. @default 'keywords', as for LLaVA */
  readonly officialText?: OfficialText;
  /** Default temperature of text coverage. */
  readonly textTemperature: number;
  /** Where features from before the projector are found. */
  readonly tap: 'projector' | 'none';
  /** What is particular, for the support table. */
  readonly notes: string;
  readonly checkpoints: readonly Checkpoint[];
}

/** What families of one layout share. */
export type FamilyLayout = Omit<PrunedFamily, 'name' | 'modelTypes' | 'className' | 'notes' | 'checkpoints'>;

/** A family that transformers.js runs, but that cannot be pruned here. */
export interface RefusedFamily {
  readonly status: 'refused';
  readonly name: string;
  readonly modelTypes: readonly string[];
  /** Why, as the end of the sentence "The model cannot be pruned: …". */
  readonly reason: string;
}

/** A family of models. */
export type ModelFamily = PrunedFamily | RefusedFamily;

/** A loaded model with its family and its processor: what every stage of a call works on. */
export interface PrunedModel {
  readonly model: ModelLike;
  readonly family: PrunedFamily;
  readonly processor: ProcessorLike;
}
