// Idefics 3 and the first SmolVLM: images cut into tiles, each behind a marker, the whole image last.

import type { ModelFamily } from './family.js';
import { runsGroup } from './groups.js';
import { endsWithWhole } from './tiles.js';

export const idefics3: ModelFamily = {
  ...runsGroup,
  name: 'Idefics 3, SmolVLM',
  modelTypes: ['idefics3'],
  className: 'Idefics3ForConditionalGeneration',
  closesImage: endsWithWhole,
  notes: 'tiles share the budget of their image; tile markers stay even where a tile loses all its tokens',
  checkpoints: [
    { id: 'HuggingFaceTB/SmolVLM-256M-Instruct', size: '0.26 B' },
    { id: 'HuggingFaceTB/SmolVLM-Instruct', size: '2.2 B' },
  ],
};
