// Idefics 3, the predecessor of SmolVLM, with the features of all tiles in one list, as some exports have them.
import { Idefics3ForConditionalGeneration } from '@huggingface/transformers';
import { HIDDEN } from '../dimensions.js';
import type { Family } from '../family.js';
import { reshape } from '../graph/operators.js';
import { imageTextSessions } from '../sessions.js';
import { TOKENS_PER_TILE, tileVision } from '../vision/tiles.js';
import { smolvlm } from './smolvlm.js';

export const idefics3: Family = {
  ...smolvlm,
  name: 'idefics3',
  modelClass: Idefics3ForConditionalGeneration,
  preprocessor: {
    ...smolvlm.preprocessor,
    image_processor_type: 'Idefics3ImageProcessor',
    processor_class: 'Idefics3Processor',
  },
  processor: { processor_class: 'Idefics3Processor', image_seq_len: TOKENS_PER_TILE },
  sessions: (build) =>
    imageTextSessions(build, (g) => {
      const { features, projected } = tileVision(g);
      return { features, projected: reshape(g, projected, [-1, HIDDEN]) };
    }),
};
