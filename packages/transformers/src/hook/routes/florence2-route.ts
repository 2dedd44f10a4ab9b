// The route of Florence-2: an encoder-decoder whose encoder sees the vision tokens, then the text.

import { toRows } from '../../upstream/tensors.js';
import { type TensorLike, tensorAt } from '../../upstream/types.js';
import type { Route } from '../route.js';
import { embeddingsRoute } from './embeddings-route.js';

/** The input under which the number of vision tokens before each row's text travels to {@link florence2Route}. */
export const VISION_COLUMNS = 'mmtokVisionColumns';

/** As most models, but the prompt has no placeholders: vision tokens come before it. */
export const florence2Route: Route = {
  ...embeddingsRoute,
  sessions: ['vision_encoder', 'embed_tokens', 'model', 'decoder_model_merged'],
  decoder: 'model',
  isEncoder: true,
  slots: (inputs) => {
    const columns = Number(inputs[VISION_COLUMNS] ?? 0);
    const rows = toRows('input_ids', tensorAt(inputs, 'input_ids') as TensorLike);
    return rows.map(() => Array.from({ length: columns }, (_, column) => column));
  },
};
