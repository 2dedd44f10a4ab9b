// How families mark vision tokens in the prompt.

import { UnsupportedModelError } from '../errors/unsupported-model-error.js';
import { type ModelConfig, numberAt } from '../upstream/types.js';

/** Placeholders are copies of the token `image_token_index` or `image_token_id` of the configuration. */
export function imageTokenId(config: ModelConfig): (id: number) => boolean {
  const token = numberAt(config, 'image_token_index', 'image_token_id');
  if (token === undefined) {
    throw new UnsupportedModelError(
      String(config.model_type),
      'its config.json has neither image_token_index nor image_token_id, so vision tokens cannot be found in a prompt',
    );
  }
  return (id) => id === token;
}

/** Placeholders are negative ids. */
export function negativeIds(): (id: number) => boolean {
  return (id) => id < 0;
}
