// Where a language model with rotary embeddings places the vision tokens of a prompt, for methods that keep positions.

import type { MethodFeatures } from '@mmtok/eval';
import type { ModelInputs } from '@mmtok/transformers';

type Positions = NonNullable<MethodFeatures['positions']>;

/** A model whose positions are known: one line of them, turned by frequencies that its configuration tells. */
export interface RotaryModel {
  /** The positions of a prompt's vision tokens; undefined where it has no placeholders. */
  positionsOf(inputs: ModelInputs): Positions | undefined;
}

/** The members of a model's configuration that are read, of the model or of its language model. */
interface TextConfig {
  readonly hidden_size?: number;
  readonly num_attention_heads?: number;
  readonly head_dim?: number;
  readonly rope_theta?: number;
  readonly rope_scaling?: unknown;
}
interface Config extends TextConfig {
  readonly text_config?: TextConfig;
  readonly image_token_index?: number;
  readonly image_token_id?: number;
}

/**
 * Reads how a model places tokens; undefined where its decoder takes no position ids, or its positions are not one line.
 * @param sessions of the model.
 */
export function rotaryModel(
  config: unknown,
  sessions: readonly ({ readonly inputNames: readonly string[] } | undefined)[],
): RotaryModel | undefined {
  const { image_token_index, image_token_id = image_token_index, text_config } = config as Config;
  const text = { ...(config as Config), ...text_config };
  const { hidden_size, num_attention_heads, rope_theta, rope_scaling } = text;
  const width = text.head_dim ?? (hidden_size ?? Number.NaN) / (num_attention_heads ?? Number.NaN);
  const takesPositions = sessions.some((session) => session?.inputNames.includes('position_ids'));
  const isLine = rope_theta !== undefined && rope_scaling == null && Number.isInteger(width);
  if (image_token_id === undefined || !takesPositions || !isLine) return undefined;
  const frequencies = Float64Array.from({ length: width / 2 }, (_, d) => rope_theta ** ((-2 * d) / width));
  return {
    positionsOf({ input_ids }) {
      const ids = Array.from((input_ids?.data ?? []) as ArrayLike<bigint | number>, Number);
      const places = ids.flatMap((id, position) => (id === image_token_id ? [position] : []));
      return places.length === 0 ? undefined : { ids: [places], frequencies };
    },
  };
}
