// Tiles that cannot be drawn on the image, as one small map each: the overview of an image that is cut into tiles, or all
// tiles where the model does not tell where they lie.

import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { draw, heatColor } from '../lib/draw.js';
import { tilesBeside } from '../lib/layout.js';
import { encodedTiles } from '../lib/tiles.js';
import type { TilePart } from '../lib/types.js';
import { analysis, image, keptOrder, layout } from '../state/store.js';

/** One map per tile; nothing where the image shows all tokens. */
export function TileMaps(): JSX.Element | null {
  const all = analysis.value?.data.tiles ?? [];
  const tiles = tilesBeside(all, layout.value);
  if (tiles.length === 0) return null;
  return (
    <div class={`tiles ${layout.value === undefined ? '' : 'is-overview'}`}>
      <ol>
        {tiles.map((tile) => (
          <li key={tile.start}>
            {tile.imagePart === 'overview' && tile.grid !== undefined ? (
              <OverviewMap start={tile.start} />
            ) : (
              <TileMap tile={tile} name={`Tile ${all.indexOf(tile) + 1}`} />
            )}
          </li>
        ))}
      </ol>
      <p>{explanation(all, layout.value !== undefined)}</p>
    </div>
  );
}

const keptOf = ({ start, visionTokens }: TilePart): readonly number[] =>
  keptOrder.value.filter((token) => token >= start && token < start + visionTokens);

const label = (name: string, tile: TilePart): string =>
  `${name}: ${keptOf(tile).length} of ${tile.visionTokens} patches kept`;

/** The whole image as the model sees it scaled down, kept patches bright. */
function OverviewMap({ start }: { start: number }): JSX.Element | null {
  const canvas = useRef<HTMLCanvasElement>(null);
  const tile = analysis.value?.data.tiles.find((one) => one.start === start);
  useSignalEffect(() => {
    const current = analysis.value?.data.tiles.find((one) => one.start === start);
    const bitmap = image.value?.bitmap;
    const context = canvas.current?.getContext('2d');
    if (!current || !bitmap || !context) return;
    const bright = new Set(keptOf(current).map((token) => token - start));
    draw(context, { bitmap, grid: current.grid, bright });
  });
  if (tile === undefined) return null;
  return <canvas ref={canvas} width={240} height={240} role="img" aria-label={label('Overview', tile)} />;
}

/** Kept patches as colored squares, the first picks the lightest. */
function TileMap({ tile, name }: { tile: TilePart; name: string }): JSX.Element {
  const { start, visionTokens, grid } = tile;
  const [rows, columns] = grid ?? [1, visionTokens];
  const order = keptOrder.value;
  const rankOf = new Map(order.map((token, rank) => [token, rank]));
  return (
    <svg
      viewBox={`0 0 ${columns} ${rows}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label(name, tile)}
    >
      <rect width={columns} height={rows} class="tile-ground" />
      {keptOf(tile).map((token) => (
        <rect
          key={token}
          x={(token - start) % columns}
          y={Math.floor((token - start) / columns)}
          width="1"
          height="1"
          fill={heatColor(1 - Math.log((rankOf.get(token) ?? 0) + 1) / Math.log(order.length + 1))}
        />
      ))}
    </svg>
  );
}

function explanation(tiles: readonly TilePart[], isOnImage: boolean): string {
  if (isOnImage) {
    const encoded = encodedTiles(tiles);
    const which =
      encoded === tiles.length
        ? 'All of them were encoded.'
        : `For this question, ${encoded - 1} of the tiles were encoded; the other ${tiles.length - encoded} cost no time.`;
    return `The overview: the whole image, scaled down. This model reads it along with the ${tiles.length - 1} tiles above. ${which}`;
  }
  const legend = 'Kept patches are colored; the first picks are the lightest.';
  return tiles.length === 1
    ? `This model sees the image as a row of tokens. ${legend}`
    : `This model sees the image as ${tiles.length} tiles, one map each. ${legend}`;
}
