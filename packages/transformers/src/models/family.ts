// What the rest of the package needs to know about a family of models. The families themselves are the files beside.

import type { Route } from '../hook/route.js';
import type { ModelConfig, ModelInputs, TensorLike } from '../upstream/types.js';

/** One picture as the vision encoder sees it (an image, a tile of an image, a frame) and its vision tokens. */
export interface EncodedUnit {
  /** Number of vision tokens. */
  readonly tokens: number;
  /** `[rows, columns]` of the tokens on the picture, where they form a grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** What a family looks at to split the encoder's output into units. */
export interface UnitContext {
  readonly config: ModelConfig;
  readonly inputs: ModelInputs;
  /** The encoder's output, `[units, tokens, D]` or `[tokens, D]`. */
  readonly features: TensorLike;
  /** Lengths of the runs of neighbouring placeholders in the prompt, in order. */
  readonly runs: readonly number[];
}

/** Where a unit's placeholders lie in its row, for telling where an image of several tiles ends. */
export interface UnitPlace {
  readonly ids: readonly number[];
  /** Columns of the unit's first and last placeholder. */
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

/** A family whose models are pruned. */
export interface PrunedFamily {
  readonly status: 'pruned';
  readonly name: string;
  /** Values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** The transformers.js class that loads it, if all model types share one, else one per model type. */
  readonly className: string | Readonly<Record<string, string>>;
  /** How the hook gets features in and embeddings out. */
  readonly route: Route;
  /** `'1d'`: positions are those of the attention mask. `'mrope'`: three axes, by `get_rope_index`. `'encoder'`: counted by the encoder. */
  readonly positions: '1d' | 'mrope' | 'encoder';
  /** The first 1-D position. @default 0 */
  readonly firstPosition?: number;
  /** Whether a token of the prompt stands for a vision token. Absent where the prompt has no such tokens. */
  readonly isPlaceholder?: (config: ModelConfig) => (id: number) => boolean;
  /** How the encoder's output splits into units. */
  readonly units: (context: UnitContext) => readonly EncodedUnit[];
  /** Whether a unit is the last of its image. Absent: every unit is an image. */
  readonly closesImage?: (place: UnitPlace) => boolean;
  /** Default temperature of text coverage. */
  readonly textTemperature: number;
  /** Where features from before the projector are found. */
  readonly tap: 'projector' | 'none';
  /** What is particular, for the support table. */
  readonly notes: string;
  readonly checkpoints: readonly Checkpoint[];
}

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
