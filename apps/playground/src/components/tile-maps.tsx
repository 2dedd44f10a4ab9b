// The patches of a picture that the model cuts into tiles: one small map per tile, in the model's own order.

import type { JSX } from 'preact';
import { heatColor } from '../lib/draw.js';
import { analysis, keptOrder } from '../state/store.js';

/** One map per tile. */
export function TileMaps(): JSX.Element {
  const tiles = analysis.value?.data.tiles ?? [];
  const order = keptOrder.value;
  const rankOf = new Map(order.map((token, rank) => [token, rank]));
  return (
    <div class="tiles">
      <p>
        This model sees the picture as {tiles.length === 1 ? 'a row of tokens' : `${tiles.length} tiles`}.
        Each map is one of them; kept patches are colored, the first picks lightest.
      </p>
      <ol>
        {tiles.map(({ start, visionTokens, grid }, at) => {
          const [rows, columns] = grid ?? [1, visionTokens];
          const kept = order.filter((token) => token >= start && token < start + visionTokens);
          return (
            <li key={start}>
              <svg
                viewBox={`0 0 ${columns} ${rows}`}
                preserveAspectRatio="none"
                role="img"
                aria-label={`Tile ${at + 1}: ${kept.length} of ${visionTokens} patches kept`}
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
