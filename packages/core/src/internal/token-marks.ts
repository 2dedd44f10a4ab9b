// Draws kept vision tokens over an image as SVG: dropped patches are dimmed, kept ones framed, and tiles that were not encoded are
// nearly black. The tokens of a tiled image form a grid over the whole image, and those of its overview another.

const VEIL = '#0d1117';
const FRAME = '#ffb000';

/** A grid of vision tokens in raster order. */
export interface TokenGrid {
  readonly rows: number;
  readonly columns: number;
  /** Indices of the kept tokens. */
  readonly kept: readonly number[];
  /** Indices of tokens that were not encoded. @default none */
  readonly unencoded?: readonly number[] | undefined;
}

/** SVG elements for a grid of the given size in pixels, drawn at (0, 0). */
export function tokenMarks(
  { rows, columns, kept, unencoded = [] }: TokenGrid,
  width: number,
  height: number,
): string {
  const x = (column: number): number => Math.round((column * width) / columns);
  const y = (row: number): number => Math.round((row * height) / rows);
  const isKept = new Set(kept);
  const isUnencoded = new Set(unencoded);
  const veil: string[] = [];
  const dark: string[] = [];
  const frames: string[] = [];
  const cell = Math.min(width / columns, height / rows);
  const stroke = Math.max(1, Math.min(3, cell / 10));
  for (let token = 0; token < rows * columns; token++) {
    const row = Math.floor(token / columns);
    const column = token % columns;
    const left = x(column);
    const top = y(row);
    const right = x(column + 1);
    const bottom = y(row + 1);
    if (!isKept.has(token)) {
      (isUnencoded.has(token) ? dark : veil).push(`M${left} ${top}H${right}V${bottom}H${left}Z`);
      continue;
    }
    const inset = stroke / 2;
    frames.push(`M${left + inset} ${top + inset}H${right - inset}V${bottom - inset}H${left + inset}Z`);
  }
  const dimmed = (paths: readonly string[], opacity: number): string =>
    `<path d="${paths.join('')}" fill="${VEIL}" fill-opacity="${opacity}" shape-rendering="crispEdges"/>`;
  return (
    dimmed(veil, 0.66) +
    (dark.length === 0 ? '' : dimmed(dark, 0.9)) +
    `<path d="${frames.join('')}" fill="none" stroke="${VEIL}" stroke-opacity="0.6" stroke-width="${stroke * 2}"/>` +
    `<path d="${frames.join('')}" fill="none" stroke="${FRAME}" stroke-width="${stroke}"/>`
  );
}

/** How an image is split: its tiles row by row, each with a grid of tokens, followed by the tokens of the overview. */
export interface ImageTiling {
  /** `[rows, columns]` of tiles. */
  readonly tiles: readonly [rows: number, columns: number];
  /** `[rows, columns]` of the tokens of each tile. */
  readonly grid: readonly [rows: number, columns: number];
  /** `[rows, columns]` of the overview's tokens. */
  readonly overview: readonly [rows: number, columns: number];
  /** Tiles that were not encoded, numbered row by row. Absent if all were. */
  readonly skipped?: readonly number[] | undefined;
}

/** A tile of an image, as reports of @mmtok/transformers describe it. */
interface Tile {
  readonly grid?: readonly [rows: number, columns: number] | undefined;
  readonly imagePart?: readonly [row: number, column: number] | 'overview' | undefined;
  readonly skipped?: true | undefined;
}

/** The tiling of an image; undefined if it has no tiles, or their places or grids are unknown. */
export function tilingOf(all: readonly Tile[]): ImageTiling | undefined {
  const tiles = all.slice(0, -1);
  const overview = all.at(-1);
  const [row = 0, column = 0] = placeOf(tiles.at(-1)) ?? [];
  const [rows, columns] = [row + 1, column + 1];
  const grid = tiles[0]?.grid;
  const isRegular = tiles.every((tile, at) => {
    const [r, c] = placeOf(tile) ?? [];
    const isPlaced = r === Math.floor(at / columns) && c === at % columns;
    return isPlaced && tile.grid?.[0] === grid?.[0] && tile.grid?.[1] === grid?.[1];
  });
  if (grid === undefined || overview?.grid === undefined || overview.imagePart !== 'overview')
    return undefined;
  if (!isRegular || tiles.length !== rows * columns) return undefined;
  const skipped = tiles.flatMap((tile, at) => (tile.skipped ? [at] : []));
  return {
    tiles: [rows, columns],
    grid,
    overview: overview.grid,
    ...(skipped.length > 0 && { skipped }),
  };
}

const placeOf = (tile: Tile | undefined): readonly [row: number, column: number] | undefined =>
  tile?.imagePart === 'overview' ? undefined : tile?.imagePart;

/**
 * The tokens of a tiled image as two grids that each span the whole image: those of the tiles, and those of the overview.
 * @param indices the kept tokens of the image.
 */
export function imageGrids(
  { tiles: [tileRows, tileColumns], grid: [rows, columns], overview, skipped = [] }: ImageTiling,
  indices: readonly number[],
): readonly [tiles: TokenGrid, overview: TokenGrid] {
  const perTile = rows * columns;
  const total = tileRows * tileColumns * perTile;
  const width = tileColumns * columns;
  const place = (index: number): number => {
    const tile = Math.floor(index / perTile);
    const token = index % perTile;
    const row = Math.floor(tile / tileColumns) * rows + Math.floor(token / columns);
    return row * width + (tile % tileColumns) * columns + (token % columns);
  };
  const unencoded = skipped.flatMap((tile) =>
    Array.from({ length: perTile }, (_, token) => place(tile * perTile + token)),
  );
  return [
    {
      rows: tileRows * rows,
      columns: width,
      kept: indices.filter((index) => index < total).map(place),
      unencoded,
    },
    {
      rows: overview[0],
      columns: overview[1],
      kept: indices.filter((index) => index >= total).map((index) => index - total),
    },
  ];
}
