// The picture with its patches. Patches are looked at with the pointer, by tapping, or with the arrow keys.

import { useSignalEffect } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';
import type { Drawing } from '../lib/draw.js';
import { draw, patchAt } from '../lib/draw.js';
import { count } from '../lib/format.js';
import {
  analysis,
  grid,
  kept,
  keptOrder,
  owners,
  patch,
  picture,
  ranks,
  view,
  visionTokens,
  word,
} from '../state/store.js';
import { OriginBadge, Segments } from './parts.js';
import { TileMaps } from './tile-maps.js';

/** What the canvas shows for the state of the page. */
function drawing(bitmap: ImageBitmap): Drawing {
  const order = keptOrder.value;
  const looked = patch.value;
  const covered = owners.value?.data.vision;
  const isTaken = covered !== undefined && owners.value?.kept.length === order.length;
  return {
    bitmap,
    grid: grid.value,
    bright: new Set(order),
    heat:
      word.value === undefined
        ? view.value === 'order'
          ? rankHeat(order)
          : undefined
        : wordHeat(word.value),
    ...(looked !== undefined &&
      isTaken && { outlined: covered.flatMap((owner, target) => (owner === looked ? [target] : [])) }),
    focused: looked,
  };
}

/** The first pick is lightest; ranks are told apart on a logarithmic scale. */
function rankHeat(order: readonly number[]): ReadonlyMap<number, number> {
  const last = Math.log(order.length + 1);
  return new Map(order.map((token, rank) => [token, 1 - Math.log(rank + 1) / last]));
}

/** How much each patch resembles a word, from the least to the most. */
export function wordHeat(at: number): ReadonlyMap<number, number> {
  const values = analysis.value?.data.words[at]?.similarity ?? [];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return new Map(values.map((value, token) => [token, high > low ? (value - low) / (high - low) : 0]));
}

/** The picture. */
export function PictureView(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = picture.value;
  useSignalEffect(() => {
    const current = picture.value;
    const element = canvas.current;
    if (current === undefined || element === null) return;
    const scale = 1152 / Math.max(current.bitmap.width, current.bitmap.height);
    const [width, height] = [current.bitmap.width, current.bitmap.height].map((size) =>
      Math.round(size * scale),
    );
    if (element.width !== width) element.width = width as number;
    if (element.height !== height) element.height = height as number;
    const context = element.getContext('2d');
    if (context !== null) draw(context, drawing(current.bitmap));
  });
  const origin = analysis.value?.origin;
  return (
    <figure class="picture">
      <div
        class="picture-frame"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move over the patches
        tabIndex={0}
        role="application"
        aria-roledescription="patches of the picture"
        aria-label={`${shown?.name ?? 'The picture'}, ${count(kept.value)} of ${count(visionTokens.value)} patches kept. Arrow keys move from patch to patch; the table below lists the kept ones.`}
        onKeyDown={moveByKey}
        onPointerMove={(event) => event.pointerType === 'mouse' && lookAt(event)}
        onPointerDown={lookAt}
        onPointerLeave={(event) => {
          if (event.pointerType === 'mouse') patch.value = undefined;
        }}
        onBlur={() => {
          patch.value = undefined;
        }}
      >
        <canvas ref={canvas} width={1152} height={1152} data-overlay />
        {(view.value === 'order' || word.value !== undefined) && <Legend />}
      </div>
      {analysis.value !== undefined && grid.value === undefined && <TileMaps />}
      <figcaption>
        <Segments
          name="view"
          legend="What the picture shows"
          value={view.value}
          options={[
            { value: 'kept', label: 'Kept patches' },
            { value: 'order', label: 'Order of picks' },
          ]}
          onChoose={(next) => {
            view.value = next;
          }}
        />

        {origin !== undefined && <OriginBadge origin={origin} />}
      </figcaption>
    </figure>
  );
}

function Legend(): JSX.Element {
  const [from, to] = word.value === undefined ? ['last pick', 'first'] : ['least alike', 'most'];
  return (
    <span class="legend">
      {from}
      <i aria-hidden="true" />
      {to}
    </span>
  );
}

function lookAt(event: TargetedPointerEvent<HTMLDivElement>): void {
  if (grid.value === undefined) return;
  const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
  patch.value = patchAt(grid.value, (event.clientX - left) / width, (event.clientY - top) / height);
}

function moveByKey(event: TargetedKeyboardEvent<HTMLDivElement>): void {
  const size = grid.value;
  if (size === undefined) return;
  const [rows, columns] = size;
  const at = patch.value ?? keptOrder.value[0] ?? 0;
  const [row, column] = [Math.floor(at / columns), at % columns];
  const rank = ranks.value[at] ?? 0;
  const inOrder = keptOrder.value;
  const moves: Readonly<Record<string, number | undefined>> = {
    ArrowLeft: row * columns + Math.max(0, column - 1),
    ArrowRight: row * columns + Math.min(columns - 1, column + 1),
    ArrowUp: Math.max(0, row - 1) * columns + column,
    ArrowDown: Math.min(rows - 1, row + 1) * columns + column,
    Home: inOrder[0],
    End: inOrder.at(-1),
    PageDown: inOrder[Math.min(inOrder.length - 1, rank + 1)],
    PageUp: inOrder[Math.max(0, Math.min(inOrder.length, rank) - 1)],
  };
  if (event.key === 'Escape') patch.value = undefined;
  else if (event.key in moves) patch.value = patch.value === undefined ? at : moves[event.key];
  else return;
  event.preventDefault();
}
