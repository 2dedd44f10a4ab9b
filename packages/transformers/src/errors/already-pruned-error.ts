// Thrown when pruning is attached twice to one model.

import { MmtokError } from '@mmtok/core';

/** The model has a pruning handle already. */
export class AlreadyPrunedError extends MmtokError {
  constructor() {
    super(
      'MMTOK_ALREADY_PRUNED',
      'This model is pruned already. Call detach() on the handle of the first prune(), or override options per call with generate({ ..., mmtok: { ... } }).',
    );
  }
}
