// Cuts the removed tokens out of a prompt: ids, mask, positions and features together, so that they cannot disagree.

import { continuedPositions, countPositions } from '../positions/numbering.js';
import type { PositionPolicy } from '../positions/policy.js';
import type { PlacedImage, Prompt } from '../prompt/prompt.js';
import type { PoolResult } from '../select/select-pools.js';
import { gatherColumns, int64Matrix, makeTensor } from '../upstream/tensors.js';
import { type ModelInputs, type TensorData, type TensorLike, tensorAt } from '../upstream/types.js';
import { keptColumns } from './kept-columns.js';
import type { PrunedSequence } from './pruned-sequence.js';
import type { ShortPrompt } from './route.js';
import type { Site } from './site.js';

/** What decides how a prompt is cut. */
export interface Cut {
  readonly images: readonly PlacedImage[];
  readonly results: readonly PoolResult[];
  /** `[…, D]`: all vision tokens. */
  readonly projected: TensorLike;
  readonly positions: PositionPolicy;
  /** The sequence that the cache holds, if it was shortened before. */
  readonly before: PrunedSequence | undefined;
}

/** A prompt after the cut. */
export interface Shortened {
  readonly prompt: ShortPrompt;
  /** What `generate` has to carry on with. */
  readonly carried: ModelInputs;
  readonly sequence: PrunedSequence;
}

/** Cuts a prompt. */
export function shorten({ model, family }: Site, inputs: ModelInputs, prompt: Prompt, cut: Cut): Shortened {
  const { ids, masks, past, tensor } = prompt;
  const width = ids[0]?.length ?? 0;
  const keptRows = cut.results.flatMap(({ pool, indices }) => indices.map((index) => pool.start + index));
  keptRows.sort((a, b) => a - b);
  const visionColumns = columnsOfRows(prompt, cut.images, new Set(keptRows));
  const removed = prompt.slots.map(
    (slots, row) => new Set(slots.filter((slot) => !visionColumns[row]?.has(slot))),
  );

  const columns = keptColumns(
    masks.map((mask) => mask.slice(past)),
    removed,
    family.route.isEncoder === true ? 'right' : 'left',
  );
  const input_ids = gatherColumns(tensor, columns, 0n);
  const newMasks = masks.map((mask, row) => [
    ...mask.slice(0, past),
    ...(columns[row] as number[]).map((column) => (column < 0 ? 0 : 1)),
  ]);
  const dropped = width - (columns[0]?.length ?? 0);

  const numbering =
    family.positions === 'mrope'
      ? axisPositions(model.get_rope_index?.bind(model), inputs, prompt, {
          columns,
          newMasks,
          dropped,
          policy: cut.positions,
        })
      : linePositions(inputs, prompt, columns, cut, family.firstPosition ?? 0);
  const carried: ModelInputs = { input_ids, attention_mask: int64Matrix(tensor, newMasks), ...numbering };

  const pastFull = cut.before === undefined ? past : cut.before.fullLength + past - cut.before.cachedLength;
  const imageGrid = tensorAt(inputs, 'image_grid_thw');
  return {
    prompt: {
      inputs: withoutImages({ ...inputs, ...carried }, family.route.imageInputs),
      ids: input_ids,
      slots: columns.map((row, at) =>
        row.flatMap((column, to) => (visionColumns[at]?.has(column) ? [to] : [])),
      ),
      kept: gatherRows(cut.projected, keptRows),
      columns,
    },
    carried,
    sequence: {
      fullLength: pastFull + width,
      cachedLength: past + (columns[0]?.length ?? 0),
      mask: newMasks,
      removed: removed.map((set, row) => set.size + (cut.before?.removed[row] ?? 0)),
      positions: cut.positions,
      ...(imageGrid && { imageGrid }),
    },
  };
}

/** The columns, per row, of the kept feature rows. */
function columnsOfRows(
  { slots }: Prompt,
  images: readonly PlacedImage[],
  kept: ReadonlySet<number>,
): Set<number>[] {
  const columns = slots.map(() => new Set<number>());
  const used = slots.map(() => 0);
  for (const { row, units, tokens } of images) {
    const start = units[0]?.start ?? 0;
    const first = used[row] as number;
    for (let token = 0; token < tokens; token++) {
      if (kept.has(start + token)) columns[row]?.add(slots[row]?.[first + token] as number);
    }
    used[row] = first + tokens;
  }
  return columns;
}

/** Positions on one axis. With `compact`, none: the model counts them from the mask. */
function linePositions(
  inputs: ModelInputs,
  { tensor, ids, masks }: Prompt,
  columns: readonly (readonly number[])[],
  { positions, before }: Cut,
  first: number,
): ModelInputs {
  if (positions === 'compact') return { position_ids: null };
  const width = ids[0]?.length ?? 0;
  const removed = before?.removed ?? masks.map(() => 0);
  const full =
    tensorAt(inputs, 'position_ids') ?? int64Matrix(tensor, continuedPositions(masks, width, first, removed));
  return { position_ids: gatherColumns(full, columns, 1n) };
}

interface AxisCut {
  readonly columns: readonly (readonly number[])[];
  readonly newMasks: readonly (readonly number[])[];
  /** By how many columns the prompt became shorter. */
  readonly dropped: number;
  readonly policy: PositionPolicy;
}

/** Positions on three axes `[3, batch, tokens]`, and the offset of every further token from its place in the cache. */
function axisPositions(
  ropeIndex:
    | ((...args: [TensorLike, TensorLike | undefined, undefined, TensorLike]) => [TensorLike, TensorLike])
    | undefined,
  inputs: ModelInputs,
  { tensor, masks }: Prompt,
  { columns, newMasks, dropped, policy }: AxisCut,
): ModelInputs {
  if (policy === 'compact') {
    const width = columns[0]?.length ?? 0;
    const rows = newMasks.map((mask) => countPositions(mask, 0).slice(mask.length - width));
    const flat = [rows, rows, rows].flat(2);
    const deltas = newMasks.map((mask) => [-mask.filter((bit) => bit === 0).length]);
    return {
      position_ids: makeTensor(tensor, 'int64', BigInt64Array.from(flat, BigInt), [3, rows.length, width]),
      rope_deltas: int64Matrix(tensor, deltas),
    };
  }
  let full = tensorAt(inputs, 'position_ids');
  let deltas = tensorAt(inputs, 'rope_deltas');
  if (full === undefined || deltas === undefined) {
    // Over the full prompt: the model strides by whole image grids and would misread a shortened one.
    const grid = tensorAt(inputs, 'image_grid_thw');
    const computed = ropeIndex?.(tensor, grid, undefined, int64Matrix(tensor, masks));
    full ??= computed?.[0];
    deltas ??= computed?.[1];
  }
  const shifted = Array.from((deltas as TensorLike).data as ArrayLike<bigint | number>, (delta) => [
    Number(delta) + dropped,
  ]);
  return {
    position_ids: gatherColumns(full as TensorLike, columns, 1n),
    rope_deltas: int64Matrix(tensor, shifted),
  };
}

/** Rows of a tensor `[…, D]`, as `[rows, D]`. */
function gatherRows(tensor: TensorLike, rows: readonly number[]): TensorLike {
  const width = tensor.dims.at(-1) ?? 0;
  const source = tensor.data as Float32Array;
  const target = new (source.constructor as new (length: number) => Float32Array)(rows.length * width);
  rows.forEach((row, at) => {
    target.set(source.subarray(row * width, (row + 1) * width), at * width);
  });
  return makeTensor(tensor, tensor.type, target as TensorData, [rows.length, width]);
}

function withoutImages(inputs: ModelInputs, names: readonly string[]): ModelInputs {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !names.includes(name)));
}
