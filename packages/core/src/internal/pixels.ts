// Converts images from bytes to the values that encoders take, as whole images or cut into tiles. The numbers equal those of
// transformers.js, which rescales, normalizes, reorders, interpolates, and cuts in separate passes; here each value is written once.

/** Pixels `[height, width, channels]` as bytes. */
export interface ByteImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** How bytes become values, with the names that image processors use. */
export interface Normalization {
  /** Factor from bytes to the scale of mean and deviation, usually 1/255. */
  readonly rescale_factor: number;
  /** Mean per channel. */
  readonly image_mean: readonly number[];
  /** Standard deviation per channel. */
  readonly image_std: readonly number[];
}

/** A grid of square tiles. */
export interface TileGrid {
  readonly rows: number;
  readonly columns: number;
  /** Edge of a tile in pixels. */
  readonly edge: number;
}

/** Where values are in a flat array: value (channel, y, x) is at `channel * plane + rows[y] + columns[x]`. */
interface Layout {
  readonly plane: number;
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

const BYTES = 256;

/** The values of all bytes, one table per channel. transformers.js stores single precision after each of the two steps. */
export function byteTables({ rescale_factor, image_mean, image_std }: Normalization): Float32Array[] {
  const scaled = Float32Array.from({ length: BYTES }, (_, byte) => rescale_factor * byte);
  return image_mean.map((mean, channel) =>
    scaled.map((value) => (value - mean) / (image_std[channel] as number)),
  );
}

/** The values of an image, `[channels, height, width]`, from one table per channel. */
export function planesOf(image: ByteImage, tables: readonly Float32Array[]): Float32Array {
  const values = new Float32Array(tables.length * image.height * image.width);
  lookUp(image, tables, values, imageLayout(image));
  return values;
}

/** The number of tiles of a grid, including the overview that follows more than one tile. */
export function gridTiles({ rows, columns }: TileGrid): number {
  return rows * columns > 1 ? rows * columns + 1 : 1;
}

/**
 * Cuts an image into tiles, row by row, followed by an overview of the whole image if there is more than one. The image is stretched
 * to whole tiles, and the tiles are shrunk to the overview, both by linear interpolation like `Resize` of ONNX Runtime.
 * @param target receives `[tiles, channels, edge, edge]`, with {@link gridTiles} tiles.
 */
export function writeTiles(
  target: Float32Array,
  image: ByteImage,
  tables: readonly Float32Array[],
  grid: TileGrid,
): void {
  const { rows, columns, edge } = grid;
  const channels = tables.length;
  const cut = tileLayout(grid, channels);
  if (image.height === rows * edge && image.width === columns * edge) lookUp(image, tables, target, cut);
  else interpolate(planesOf(image, tables), imageLayout(image), target, cut, channels);
  const size = channels * edge * edge;
  const count = rows * columns;
  if (count > 1) {
    const overview = target.subarray(count * size, (count + 1) * size);
    interpolate(target, cut, overview, imageLayout({ width: edge, height: edge }), channels);
  }
}

function imageLayout({ width, height }: Pick<ByteImage, 'width' | 'height'>): Layout {
  return {
    plane: height * width,
    rows: Int32Array.from({ length: height }, (_, y) => y * width),
    columns: Int32Array.from({ length: width }, (_, x) => x),
  };
}

/** The layout of an image that is cut into tiles `[rows * columns, channels, edge, edge]`. */
function tileLayout({ rows, columns, edge }: TileGrid, channels: number): Layout {
  const size = channels * edge * edge;
  return {
    plane: edge * edge,
    rows: Int32Array.from(
      { length: rows * edge },
      (_, y) => Math.floor(y / edge) * columns * size + (y % edge) * edge,
    ),
    columns: Int32Array.from({ length: columns * edge }, (_, x) => Math.floor(x / edge) * size + (x % edge)),
  };
}

function lookUp(
  { data, width, height, channels }: ByteImage,
  tables: readonly Float32Array[],
  target: Float32Array,
  { plane, rows, columns }: Layout,
): void {
  for (let y = 0; y < height; y++) {
    tables.forEach((table, channel) => {
      const row = channel * plane + (rows[y] as number);
      let from = y * width * channels + channel;
      for (let x = 0; x < width; x++) {
        target[row + (columns[x] as number)] = table[data[from] as number] as number;
        from += channels;
      }
    });
  }
}

/** For each position along an axis, the offsets of its two neighbors in the source, and their weights. */
interface Neighbors {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly ofFirst: Float32Array;
  readonly ofSecond: Float32Array;
}

/** The neighbors of `to` positions among the source positions with these offsets. Pixels have their centers at half positions. */
function neighborsOf(offsets: Int32Array, to: number): Neighbors {
  const { fround, max, min } = Math;
  const last = offsets.length - 1;
  const scale = fround(to / offsets.length);
  const found: Neighbors = {
    first: new Int32Array(to),
    second: new Int32Array(to),
    ofFirst: new Float32Array(to),
    ofSecond: new Float32Array(to),
  };
  for (let at = 0; at < to; at++) {
    const point = min(max(fround(fround((at + 0.5) / scale) - 0.5), 0), last);
    const first = Math.trunc(point);
    const second = min(first + 1, last);
    found.first[at] = offsets[first] as number;
    found.second[at] = offsets[second] as number;
    found.ofFirst[at] = first === second ? 0.5 : second - point;
    found.ofSecond[at] = first === second ? 0.5 : point - first;
  }
  return found;
}

/** Linear interpolation from one layout to another, with the rounding of single precision after every step. */
function interpolate(
  source: Float32Array,
  from: Layout,
  target: Float32Array,
  to: Layout,
  channels: number,
): void {
  const { fround } = Math;
  const width = to.columns.length;
  const down = neighborsOf(from.rows, to.rows.length);
  const across = neighborsOf(from.columns, width);
  const { first: left, second: right, ofFirst: ofLeft, ofSecond: ofRight } = across;
  const topLeft = new Float32Array(width);
  const topRight = new Float32Array(width);
  const bottomLeft = new Float32Array(width);
  const bottomRight = new Float32Array(width);
  for (let y = 0; y < to.rows.length; y++) {
    const ofTop = down.ofFirst[y] as number;
    const ofBottom = down.ofSecond[y] as number;
    for (let x = 0; x < width; x++) {
      topLeft[x] = (ofLeft[x] as number) * ofTop;
      topRight[x] = (ofRight[x] as number) * ofTop;
      bottomLeft[x] = (ofLeft[x] as number) * ofBottom;
      bottomRight[x] = (ofRight[x] as number) * ofBottom;
    }
    for (let channel = 0; channel < channels; channel++) {
      const top = channel * from.plane + (down.first[y] as number);
      const bottom = channel * from.plane + (down.second[y] as number);
      const row = channel * to.plane + (to.rows[y] as number);
      for (let x = 0; x < width; x++) {
        const l = left[x] as number;
        const r = right[x] as number;
        let value = fround((topLeft[x] as number) * (source[top + l] as number));
        value = fround(value + fround((topRight[x] as number) * (source[top + r] as number)));
        value = fround(value + fround((bottomLeft[x] as number) * (source[bottom + l] as number)));
        value = fround(value + fround((bottomRight[x] as number) * (source[bottom + r] as number)));
        target[row + (to.columns[x] as number)] = value;
      }
    }
  }
}
