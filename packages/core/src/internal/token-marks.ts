// Draws kept vision tokens over an image as SVG: dropped patches are dimmed, kept ones framed.

const VEIL = '#0d1117';
const FRAME = '#ffb000';

/** A grid of vision tokens, and the indices of the kept ones in raster order. */
export interface TokenGrid {
  readonly rows: number;
  readonly columns: number;
  readonly kept: readonly number[];
}

/** SVG elements for a grid of the given size in pixels, drawn at (0, 0). */
export function tokenMarks({ rows, columns, kept }: TokenGrid, width: number, height: number): string {
  const x = (column: number): number => Math.round((column * width) / columns);
  const y = (row: number): number => Math.round((row * height) / rows);
  const isKept = new Set(kept);
  const veil: string[] = [];
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
      veil.push(`M${left} ${top}H${right}V${bottom}H${left}Z`);
      continue;
    }
    const inset = stroke / 2;
    frames.push(`M${left + inset} ${top + inset}H${right - inset}V${bottom - inset}H${left + inset}Z`);
  }
  return (
    `<path d="${veil.join('')}" fill="${VEIL}" fill-opacity="0.66" shape-rendering="crispEdges"/>` +
    `<path d="${frames.join('')}" fill="none" stroke="${VEIL}" stroke-opacity="0.6" stroke-width="${stroke * 2}"/>` +
    `<path d="${frames.join('')}" fill="none" stroke="${FRAME}" stroke-width="${stroke}"/>`
  );
}
