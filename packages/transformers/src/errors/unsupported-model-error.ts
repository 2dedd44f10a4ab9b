// Thrown for models that cannot be pruned, with the reason.

import { MmtokError } from '@mmtok/core';

/** The model, or the way it was loaded or exported, cannot be pruned. Nothing about it has been changed. */
export class UnsupportedModelError extends MmtokError {
  /** `model_type` of the model's configuration, if it has one. */
  readonly modelType: string | undefined;

  constructor(modelType: string | undefined, reason: string) {
    super(
      'MMTOK_UNSUPPORTED_MODEL',
      `The model${modelType === undefined ? '' : ` '${modelType}'`} cannot be pruned: ${reason}.`,
    );
    this.modelType = modelType;
  }
}
