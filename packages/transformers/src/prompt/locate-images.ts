// Finds the images of the new part of a prompt among the encoder's rows; images that the cache holds are stepped over.

import type { PruneCall } from '../hook/prune-call.js';
import type { EncodedVision } from '../hook/route.js';
import type { Site } from '../hook/site.js';
import { unitsFromRuns } from '../models/units.js';
import type { ModelInputs } from '../upstream/types.js';
import { countSlots, type PlacedImage, type Prompt, placeImages, runsOf } from './prompt.js';

/** The images that the new part of the prompt names, with their rows in the encoder's output. */
export function locateImages(
  { family, model, options }: Site,
  call: Pick<PruneCall, 'cachedSlots' | 'keptVision'>,
  inputs: ModelInputs,
  prompt: Prompt,
  { projected }: EncodedVision,
): PlacedImage[] {
  const rows = projected.dims.slice(0, -1).reduce((product, length) => product * length, 1);
  const cached = call.cachedSlots.reduce((sum, count) => sum + count, 0);
  const hasAll = cached > 0 && rows === countSlots(prompt) + cached;
  const behind = prompt.slots.map((_, row) => (hasAll ? (call.cachedSlots[row] ?? 0) : 0));
  // Cached placeholders get columns before 0, so that they come first in their row.
  const slots = prompt.slots.map((row, at) => {
    const count = behind[at] as number;
    return [...Array.from({ length: count }, (_, index) => index - count - 1), ...row];
  });
  const described = { ...call.keptVision?.imageInputs, ...inputs };
  const runs = slots.flatMap(runsOf);
  const context = { config: model.config, inputs: described, features: projected, runs };
  const stated = family.units(context);
  // An export may lay its output out otherwise than its inputs suggest; then the prompt itself tells the units.
  const addsUp = stated.reduce((sum, unit) => sum + unit.tokens, 0) === rows;
  const units = addsUp ? stated : unitsFromRuns(context);
  const tokenId = (token: string): number | undefined =>
    options.processor.tokenizer.convert_tokens_to_ids(token);
  const images = placeImages({ ids: prompt.ids, slots }, units, rows, family.closesImage, tokenId);
  const seen = behind.map(() => 0);
  return images.filter(({ row, tokens }) => {
    const before = seen[row] as number;
    seen[row] = before + tokens;
    return before >= (behind[row] as number);
  });
}
