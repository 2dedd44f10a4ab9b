// What the hook knows about the model it sits on.

import type { VisionCache } from '../features/vision-cache.js';
import type { PrunedFamily } from '../models/family.js';
import type { CheckedOptions } from '../options.js';
import type { ModelLike } from '../upstream/types.js';

/** A model with pruning attached. */
export interface Site {
  readonly model: ModelLike;
  readonly family: PrunedFamily;
  readonly options: CheckedOptions;
  readonly visionCache: VisionCache;
}
