// SmolVLM 2: tiles as in Idefics 3; frames of a video as single tiles.

import type { ModelFamily } from './family.js';
import { runsGroup } from './groups.js';
import { endsWithWhole } from './tiles.js';

export const smolvlm: ModelFamily = {
  ...runsGroup,
  name: 'SmolVLM 2',
  modelTypes: ['smolvlm'],
  className: 'SmolVLMForConditionalGeneration',
  closesImage: endsWithWhole,
  notes: 'tiles share the budget of their image; tile markers stay even where a tile loses all its tokens',
  checkpoints: [
    { id: 'HuggingFaceTB/SmolVLM2-256M-Video-Instruct', size: '0.26 B' },
    { id: 'HuggingFaceTB/SmolVLM2-500M-Video-Instruct', size: '0.5 B' },
    { id: 'HuggingFaceTB/SmolVLM2-2.2B-Instruct', size: '2.2 B' },
  ],
};
