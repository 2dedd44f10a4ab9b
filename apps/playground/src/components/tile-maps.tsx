// Tiles that cannot be drawn on the image, as one small map each: the overview of an image that is cut into tiles, or all
// tiles where the model does not tell where they lie.

import type { JSX } from 'preact';
import { heatColor } from '../lib/draw.js';
import { tilesBeside } from '../lib/layout.js';
import { analysis, keptOrder, layout } from '../state/store.js';

/** One map per tile; nothing where the image shows all tokens. */
export function TileMaps(): JSX.Element | null {
  const all = analysis.value?.data.tiles ?? [];
  const tiles = tilesBeside(all, layout.value);
  if (tiles.length === 0) return null;
  const order = keptOrder.value;
  const rankOf = new Map(order.map((token, rank) => [token, rank]));
  return (
    <div class="tiles">
      <p>{explanation(all.length, layout.value !== undefined)}</p>
      <ol>
        {tiles.map(({ start, visionTokens, grid, imagePart }) => {
          const [rows, columns] = grid ?? [1, visionTokens];
          const kept = order.filter((token) => token >= start && token < start + visionTokens);
          const name =
            imagePart === 'overview'
              ? 'Overview'
              : `Tile ${all.findIndex((tile) => tile.start === start) + 1}`;
          return (
            <li key={start}>
              <svg
                viewBox={`0 0 ${columns} ${rows}`}
                preserveAspectRatio="none"
                role="img"
                aria-label={`${name}: ${kept.length} of ${visionTokens} patches kept`}
              >
                <rect width={columns} height={rows} class="tile-ground" />
                {kept.map((token) => (
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
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function explanation(tiles: number, isOnImage: boolean): string {
  const legend = 'Kept patches are colored; the first picks are the lightest.';
  if (isOnImage) {
    return `This model cuts the image into ${tiles - 1} tiles, drawn above, and also sees all of it scaled down, as the overview here. ${legend}`;
  }
  return tiles === 1
    ? `This model sees the image as a row of tokens. ${legend}`
    : `This model sees the image as ${tiles} tiles, one map each. ${legend}`;
}
