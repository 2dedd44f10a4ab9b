// Thrown when features from before the projector were demanded but cannot be had.

import { MmtokError } from '@mmtok/core';

/** The vision features asked for are not available, or cannot be found in the model file. */
export class VisionFeaturesError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_VISION_FEATURES', `Vision features from before the projector: ${problem}.`);
  }
}
