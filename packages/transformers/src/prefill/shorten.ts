// Removes the dropped vision tokens from a batch of prompts: ids, mask, positions, and features together, so that they
// always match.

import { sum } from '@mmtok/core/internal';
import type { ShortPrompt } from '../adapters/adapter.js';
import { PromptMismatchError } from '../errors.js';
import type { PrunedModel } from '../families/family.js';
import { gatherPositions, int64Matrix, tensorRows } from '../internal/tensors.js';
import { type ModelInputs, type TensorLike, tensorAt } from '../internal/types.js';
import type { PlacedImage } from '../prompt/images.js';
import { shortenedPositions } from '../prompt/positions.js';
import type { Prompt } from '../prompt/prompt.js';
import type { PositionPolicy } from '../report.js';

/** How a shortened sequence maps to the caller's sequence: its first `fullLength` tokens became `cachedLength`. */
export interface ShortenedSequence {
  readonly fullLength: number;
  readonly cachedLength: number;
  /** The mask over the shortened tokens, per prompt. */
  readonly mask: readonly (readonly number[])[];
  /** Tokens removed, per prompt: preserved positions are ahead by this many. */
  readonly removed: readonly number[];
  readonly policy: PositionPolicy;
  /** mRoPE only: image grids, which later turns need for their positions. */
  readonly imageGrid?: TensorLike;
}

/** The inputs of the cut. */
export interface Cut {
  readonly images: readonly PlacedImage[];
  /** Kept rows of the encoder's output. */
  readonly keptRows: ReadonlySet<number>;
  /** `[…, D]`: all vision tokens. */
  readonly projected: TensorLike;
  readonly policy: PositionPolicy;
  /** Tokens of each prompt as the caller passed it. */
  readonly width: number;
  /** The sequence in the cache, if it was shortened before. */
  readonly before: ShortenedSequence | undefined;
}

/** A prompt after the cut. */
export interface Shortened {
  readonly prompt: ShortPrompt;
  /** What `generate` continues with. */
  readonly carried: ModelInputs;
  readonly sequence: ShortenedSequence;
  /** Tokens of each shortened prompt, without padding. */
  readonly lengths: readonly number[];
}

/** Cuts a batch of prompts. */
export function shorten(pruned: PrunedModel, inputs: ModelInputs, prompt: Prompt, cut: Cut): Shortened {
  const { ids, masks, past, tensor } = prompt;
  const { adapter } = pruned.family;
  const width = ids[0]?.length ?? 0;

  // Rows and positions are paired token by token, so they cannot be mixed up.
  const rows: number[] = [];
  const visionPositions = prompt.placeholders.map(() => new Set<number>());
  for (const { positions, start, batchIndex } of cut.images) {
    const kept = positions.flatMap((position, token) =>
      cut.keptRows.has(start + token) ? [{ position, row: start + token }] : [],
    );
    kept.sort((a, b) => a.position - b.position);
    for (const { position, row } of kept) {
      rows.push(row);
      visionPositions[batchIndex]?.add(position);
    }
  }
  const removed = prompt.placeholders.map(
    (own, batchIndex) => new Set(own.filter((position) => !visionPositions[batchIndex]?.has(position))),
  );
  const fresh = masks.map((mask) => mask.slice(past));
  const kept = keptPositions(fresh, removed, adapter.placement === 'beforeText' ? 'right' : 'left');
  const shortMasks = masks.map((mask, batchIndex) => [
    ...mask.slice(0, past),
    ...(kept[batchIndex] as number[]).map((position) => (position < 0 ? 0 : 1)),
  ]);
  const places = kept.map((own, batchIndex) =>
    own.flatMap((position, to) => (visionPositions[batchIndex]?.has(position) ? [to] : [])),
  );
  if (sum(places.map((own) => own.length)) !== rows.length) {
    throw new PromptMismatchError(
      `${rows.length} vision tokens are kept, but the shortened prompt has ${sum(places.map((own) => own.length))} placeholders`,
    );
  }

  const shortWidth = kept[0]?.length ?? 0;
  const input_ids = gatherPositions(idsTensor(prompt), kept, 0n);
  const removedBefore = cut.before?.removed ?? masks.map(() => 0);
  const carried: ModelInputs = {
    input_ids,
    attention_mask: int64Matrix(tensor, shortMasks),
    ...shortenedPositions(pruned, inputs, {
      ids: tensor,
      masks,
      shortMasks,
      kept,
      dropped: width - shortWidth,
      removedBefore,
      policy: cut.policy,
    }),
  };
  const pastFull = cut.before === undefined ? past : cut.before.fullLength + past - cut.before.cachedLength;
  const imageGrid = tensorAt(inputs, 'image_grid_thw');
  return {
    prompt: {
      inputs: withoutImages({ ...inputs, ...carried }, adapter.imageInputs),
      ids: input_ids,
      visionPositions: places,
      kept: tensorRows(cut.projected, rows),
    },
    carried,
    sequence: {
      fullLength: pastFull + cut.width,
      cachedLength: past + shortWidth,
      mask: shortMasks,
      // A masked token never had a position, so removing it shifts nothing.
      removed: removed.map(
        (own, batchIndex) =>
          [...own].filter((position) => fresh[batchIndex]?.[position] !== 0).length +
          (removedBefore[batchIndex] as number),
      ),
      policy: cut.policy,
      ...(imageGrid && { imageGrid }),
    },
    lengths: kept.map((own) => own.filter((position) => position >= 0).length),
  };
}

/** The ids as a tensor: the caller's own, unless vision tokens were inserted before the text. */
function idsTensor({ tensor, ids }: Prompt): TensorLike {
  return tensor.dims[1] === ids[0]?.length ? tensor : int64Matrix(tensor, ids);
}

/**
 * The positions to keep in each prompt; −1 is padding. All prompts are brought to the same length.
 * @param padding the side on which shorter prompts are padded. Decoders continue at the right end and need padding on the
 * left; encoders number their tokens by index and need it on the right.
 */
export function keptPositions(
  masks: readonly (readonly number[])[],
  removed: readonly ReadonlySet<number>[],
  padding: 'left' | 'right',
): number[][] {
  const rows = masks.map((mask, batchIndex) =>
    mask.flatMap((bit, position) => (bit !== 0 && !removed[batchIndex]?.has(position) ? [position] : [])),
  );
  const width = Math.max(...rows.map((row) => row.length));
  return rows.map((row) => {
    const fill = new Array<number>(width - row.length).fill(-1);
    return padding === 'left' ? [...fill, ...row] : [...row, ...fill];
  });
}

function withoutImages(inputs: ModelInputs, names: readonly string[]): ModelInputs {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !names.includes(name)));
}
