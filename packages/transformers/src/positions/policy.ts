// Decides how the kept tokens are numbered: with the positions they had, or contiguously.

import { UnsupportedModelError } from '../errors/unsupported-model-error.js';
import type { PrunedFamily } from '../models/family.js';
import type { ModelLike } from '../upstream/types.js';

/** `'preserve'`: kept tokens keep the positions of the full sequence. `'compact'`: positions are contiguous. */
export type PositionPolicy = 'preserve' | 'compact';

/**
 * The policy for a model: what the caller asks for, or `preserve` wherever the decoder takes position ids.
 * @throws UnsupportedModelError if positions are to be preserved but the decoder counts them itself.
 */
export function positionPolicy(
  model: ModelLike,
  family: PrunedFamily,
  asked: PositionPolicy | 'auto',
): PositionPolicy {
  if (asked === 'compact') return 'compact';
  const takesPositions =
    family.positions !== 'encoder' &&
    model.sessions[family.route.decoder]?.inputNames.includes('position_ids') === true;
  if (takesPositions) return 'preserve';
  if (asked === 'auto') return 'compact';
  throw new UnsupportedModelError(
    String(model.config.model_type),
    "positions: 'preserve' needs a decoder with the input position_ids, and this export counts positions itself; use 'auto' or 'compact'",
  );
}
