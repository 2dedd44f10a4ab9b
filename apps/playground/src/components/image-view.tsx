// The image with its patches. A patch is inspected with the pointer, by tapping, or with the arrow keys.

import { useSignalEffect } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';
import type { Drawing } from '../lib/draw.js';
import { draw, patchAt } from '../lib/draw.js';
import { count } from '../lib/format.js';
import { cellsOf } from '../lib/layout.js';
import { encodedTiles } from '../lib/tiles.js';
import {
  analysis,
  image,
  kept,
  keptOrder,
  layout,
  owners,
  patch,
  view,
  visionTokens,
  word,
} from '../state/store.js';
import { OriginBadge, Segments } from './parts.js';
import { TileMaps } from './tile-maps.js';

/** What the canvas shows for the state of the page. */
function drawing(bitmap: ImageBitmap): Drawing {
  const order = keptOrder.value;
  const place = layout.value;
  const looked = patch.value;
  const covered = owners.value?.data.vision;
  const isTaken = covered !== undefined && owners.value?.kept.length === order.length;
  const heat = heatOf(order);
  return {
    bitmap,
    grid: place?.grid,
    bright: new Set(cellsOf(place, order)),
    heat:
      heat === undefined
        ? undefined
        : new Map(
            heat.flatMap(([token, value]) => cellsOf(place, [token]).map((cell) => [cell, value] as const)),
          ),
    ...(looked !== undefined &&
      isTaken && {
        outlined: cellsOf(
          place,
          covered.flatMap((owner, target) => (owner === looked ? [target] : [])),
        ),
      }),
    focused: looked === undefined ? undefined : place?.cells[looked],
    skipped: place && { tileGrid: place.tileGrid, tiles: place.skippedTiles, label: 'not encoded' },
  };
}

type Heat = readonly (readonly [token: number, value: number])[];

/** How much each token counts, from 0 to 1: for the word that is looked at, or by rank where the page shows the order. */
function heatOf(order: readonly number[]): Heat | undefined {
  if (word.value !== undefined) return wordHeat(word.value);
  return view.value === 'order' ? rankHeat(order) : undefined;
}

/** The first pick is lightest. The scale of ranks is logarithmic. */
function rankHeat(order: readonly number[]): Heat {
  const last = Math.log(order.length + 1);
  return order.map((token, rank) => [token, 1 - Math.log(rank + 1) / last]);
}

/** How much each token resembles a word, from the least to the most. */
function wordHeat(at: number): Heat {
  const values = analysis.value?.data.words[at]?.similarity ?? [];
  const known = values.flatMap((value, token) => (value === null ? [] : [[token, value] as const]));
  const low = Math.min(...known.map(([, value]) => value));
  const high = Math.max(...known.map(([, value]) => value));
  return known.map(([token, value]) => [token, high > low ? (value - low) / (high - low) : 0]);
}

/** The image. */
export function ImageView(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = image.value;
  useSignalEffect(() => {
    const current = image.value;
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
    <figure class="image">
      <div
        class="image-frame"
        data-skipped={layout.value?.skippedTiles.join(' ')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move over the patches
        tabIndex={0}
        role="application"
        aria-roledescription="patches of the image"
        aria-label={`${shown?.name ?? 'The image'}, ${count(kept.value)} of ${count(visionTokens.value)} patches kept${tilesInWords()}. Arrow keys move from patch to patch; the table below lists the kept ones.`}
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
      <figcaption>
        <Segments
          name="view"
          legend="What the image shows"
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
      <TileMaps />
    </figure>
  );
}

/** How many tiles were encoded, for screen readers; nothing where all were. */
function tilesInWords(): string {
  const tiles = analysis.value?.data.tiles ?? [];
  const encoded = encodedTiles(tiles);
  return encoded === tiles.length ? '' : `, ${encoded} of ${tiles.length} tiles encoded`;
}

function Legend(): JSX.Element {
  const [from, to] = word.value === undefined ? ['last pick', 'first'] : ['least similar', 'most'];
  return (
    <span class="legend">
      {from}
      <i aria-hidden="true" />
      {to}
    </span>
  );
}

function lookAt(event: TargetedPointerEvent<HTMLDivElement>): void {
  if (layout.value === undefined) return;
  const { grid, tokens } = layout.value;
  const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
  patch.value = tokens[patchAt(grid, (event.clientX - left) / width, (event.clientY - top) / height)];
}

function moveByKey(event: TargetedKeyboardEvent<HTMLDivElement>): void {
  if (layout.value === undefined) return;
  const { grid, tokens, cells } = layout.value;
  const [rows, columns] = grid;
  const inOrder = keptOrder.value.filter((token) => cells[token] !== undefined);
  const at = patch.value ?? inOrder[0] ?? (tokens[0] as number);
  const cell = cells[at] ?? 0;
  const [row, column] = [Math.floor(cell / columns), cell % columns];
  const place = inOrder.indexOf(at);
  const moves: Readonly<Record<string, number | undefined>> = {
    ArrowLeft: tokens[row * columns + Math.max(0, column - 1)],
    ArrowRight: tokens[row * columns + Math.min(columns - 1, column + 1)],
    ArrowUp: tokens[Math.max(0, row - 1) * columns + column],
    ArrowDown: tokens[Math.min(rows - 1, row + 1) * columns + column],
    Home: inOrder[0],
    End: inOrder.at(-1),
    PageDown: inOrder[place < 0 ? inOrder.length - 1 : Math.min(inOrder.length - 1, place + 1)],
    PageUp: inOrder[place < 0 ? inOrder.length - 1 : Math.max(0, place - 1)],
  };
  if (event.key === 'Escape') patch.value = undefined;
  else if (event.key in moves) patch.value = patch.value === undefined ? at : moves[event.key];
  else return;
  event.preventDefault();
}
