// Converts images from bytes to the values that encoders take, as whole images or cut into tiles. The numbers equal those of
// transformers.js, which rescales, normalizes, reorders, interpolates, and cuts in separate passes; here each value is written once.

/** Pixels `[height, width, 3]` as bytes. */
export interface RgbBytes {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
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

/** The values of all bytes in each channel. */
export type ByteTables = readonly [red: Float32Array, green: Float32Array, blue: Float32Array];

/** A grid of square tiles. */
export interface TileGrid {
  readonly rows: number;
  readonly columns: number;
  /** Edge of a tile in pixels. */
  readonly edge: number;
}

const CHANNELS = 3;
const BYTES = 256;

/** The values of all bytes. transformers.js stores single precision after each of the two steps. */
export function byteTables({ rescale_factor, image_mean, image_std }: Normalization): ByteTables {
  const scaled = Float32Array.from({ length: BYTES }, (_, byte) => rescale_factor * byte);
  const ofChannel = (channel: number): Float32Array => {
    const [mean, deviation] = [image_mean[channel] as number, image_std[channel] as number];
    return scaled.map((value) => (value - mean) / deviation);
  };
  return [ofChannel(0), ofChannel(1), ofChannel(2)];
}

/** The values of an image, `[3, height, width]`. */
export function planesOf(image: RgbBytes, tables: ByteTables): Float32Array {
  const pixels = image.height * image.width;
  const values = new Float32Array(CHANNELS * pixels);
  lookUp(image, 0, tables, { data: values, at: 0, plane: pixels, count: pixels });
  return values;
}

/** The number of tiles of a grid, including the overview that follows more than one tile. */
export function gridTiles({ rows, columns }: TileGrid): number {
  return rows * columns > 1 ? rows * columns + 1 : 1;
}

/**
 * Cuts an image into tiles, row by row, followed by an overview of the whole image if there is more than one. The image is stretched
 * to whole tiles, and the tiles are shrunk to the overview, both by linear interpolation like `Resize` of ONNX Runtime. The result has
 * the same bits as on x64 and in WebAssembly; on ARM, the compiler of ONNX Runtime may fuse steps, which changes the last bit.
 * @param target receives `[tiles, 3, edge, edge]`, with {@link gridTiles} tiles.
 */
export function writeTiles(target: Float32Array, image: RgbBytes, tables: ByteTables, grid: TileGrid): void {
  const { rows, columns, edge } = grid;
  const { width, height } = image;
  const plane = edge * edge;
  const whole = { width: columns * edge, height: rows * edge };
  /** The parts of a line of the whole image, one in each tile. */
  const runsAt = (y: number): Run[] => {
    const first = Math.floor(y / edge) * columns * CHANNELS * plane + (y % edge) * edge;
    return Array.from({ length: columns }, (_, column) => ({
      data: target,
      at: first + column * CHANNELS * plane,
      plane,
      count: edge,
    }));
  };
  if (height === whole.height && width === whole.width) {
    for (let y = 0; y < height; y++) {
      runsAt(y).forEach((run, column) => {
        lookUp(image, y * width + column * edge, tables, run);
      });
    }
  } else {
    const readLine = (y: number, line: Float32Array): void =>
      lookUp(image, y * width, tables, { data: line, at: 0, plane: width, count: width });
    interpolate(image, readLine, whole, runsAt);
  }
  if (rows * columns === 1) return;
  const overview = rows * columns * CHANNELS * plane;
  const readLine = (y: number, line: Float32Array): void => {
    runsAt(y).forEach(({ at }, column) => {
      for (let channel = 0; channel < CHANNELS; channel++) {
        const from = at + channel * plane;
        line.set(target.subarray(from, from + edge), channel * whole.width + column * edge);
      }
    });
  };
  interpolate(whole, readLine, { width: edge, height: edge }, (y) => [
    { data: target, at: overview + y * edge, plane, count: edge },
  ]);
}

/** Successive pixels in channel-first order: value i of channel c is at `at + c * plane + i`. */
interface Run {
  readonly data: Float32Array;
  readonly at: number;
  readonly plane: number;
  readonly count: number;
}

/** Writes the values of successive pixels, from pixel `first` of the image. */
function lookUp(
  { data: bytes }: RgbBytes,
  first: number,
  [red, green, blue]: ByteTables,
  { data, at, plane, count }: Run,
): void {
  let from = first * CHANNELS;
  for (let to = at; to < at + count; to++) {
    data[to] = red[bytes[from] as number] as number;
    data[to + plane] = green[bytes[from + 1] as number] as number;
    data[to + 2 * plane] = blue[bytes[from + 2] as number] as number;
    from += CHANNELS;
  }
}

/** Width and height in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** For each position along an axis, its two neighbors in the source, and their weights. */
interface Neighbors {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly ofFirst: Float32Array;
  readonly ofSecond: Float32Array;
}

/** The neighbors of `to` positions among `from` positions. Pixels have their centers at half positions. */
function neighborsOf(from: number, to: number): Neighbors {
  const { fround, max, min } = Math;
  const scale = fround(to / from);
  const found: Neighbors = {
    first: new Int32Array(to),
    second: new Int32Array(to),
    ofFirst: new Float32Array(to),
    ofSecond: new Float32Array(to),
  };
  for (let at = 0; at < to; at++) {
    const point = min(max(fround(fround((at + 0.5) / scale) - 0.5), 0), from - 1);
    const first = Math.trunc(point);
    const second = min(first + 1, from - 1);
    found.first[at] = first;
    found.second[at] = second;
    found.ofFirst[at] = first === second ? 0.5 : second - point;
    found.ofSecond[at] = first === second ? 0.5 : point - first;
  }
  return found;
}

/**
 * Linear interpolation from one size to another.
 * @param readLine writes a line of the source, `[3, width]`.
 * @param runsAt where a line of the result belongs, from left to right.
 */
function interpolate(
  from: Size,
  readLine: (y: number, line: Float32Array) => void,
  to: Size,
  runsAt: (y: number) => readonly Run[],
): void {
  const down = neighborsOf(from.height, to.height);
  const across = neighborsOf(from.width, to.width);
  let [top, bottom] = [new Float32Array(CHANNELS * from.width), new Float32Array(CHANNELS * from.width)];
  let [topRow, bottomRow] = [-1, -1];
  for (let y = 0; y < to.height; y++) {
    const [first, second] = [down.first[y] as number, down.second[y] as number];
    if (first === bottomRow) {
      [top, bottom] = [bottom, top];
      [topRow, bottomRow] = [bottomRow, topRow];
    }
    if (first !== topRow) readLine(first, top);
    if (second !== bottomRow) readLine(second, bottom);
    [topRow, bottomRow] = [first, second];
    let x = 0;
    for (const run of runsAt(y)) {
      for (let channel = 0; channel < CHANNELS; channel++) {
        const line = channel * from.width;
        mixLines(
          run.data.subarray(run.at + channel * run.plane, run.at + channel * run.plane + run.count),
          top.subarray(line, line + from.width),
          bottom.subarray(line, line + from.width),
          [down.ofFirst[y] as number, down.ofSecond[y] as number],
          across,
          x,
        );
      }
      x += run.count;
    }
  }
}

/** Interpolates between two lines, from position `start` on, with the rounding of single precision after every step. */
function mixLines(
  target: Float32Array,
  top: Float32Array,
  bottom: Float32Array,
  [ofTop, ofBottom]: readonly [number, number],
  { first, second, ofFirst, ofSecond }: Neighbors,
  start: number,
): void {
  const { fround } = Math;
  for (let i = 0; i < target.length; i++) {
    const x = start + i;
    const left = first[x] as number;
    const right = second[x] as number;
    const ofLeft = ofFirst[x] as number;
    const ofRight = ofSecond[x] as number;
    let value = fround(fround(ofLeft * ofTop) * (top[left] as number));
    // A weight of zero would add nothing.
    if (ofRight !== 0) value = fround(value + fround(fround(ofRight * ofTop) * (top[right] as number)));
    if (ofBottom !== 0) {
      value = fround(value + fround(fround(ofLeft * ofBottom) * (bottom[left] as number)));
      if (ofRight !== 0)
        value = fround(value + fround(fround(ofRight * ofBottom) * (bottom[right] as number)));
    }
    target[i] = value;
  }
}
