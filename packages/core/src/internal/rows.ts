// Sums of numbers, and slicing, gathering, and scattering the rows of flat, row-major arrays.

/** Arrays of numbers between which rows can be copied. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array;

/** The sum in double precision. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total;
}

/**
 * A copy of rows `start` to `end` (exclusive) of a matrix `[rows, width]`.
 * @throws RangeError if they are out of range.
 */
export function sliceRows<A extends NumericArray>(data: A, width: number, start: number, end: number): A {
  if (!(start >= 0 && start <= end && end * width <= data.length)) {
    throw new RangeError(`rows ${start} to ${end} of width ${width} are outside ${data.length} numbers`);
  }
  return data.slice(start * width, end * width) as A;
}

/**
 * A copy of the rows at `indices` of a matrix `[rows, width]`, in that order: `[indices, width]`.
 * @throws RangeError for an index out of range.
 */
export function gatherRows<A extends NumericArray>(data: A, width: number, indices: ArrayLike<number>): A {
  const rows = new (data.constructor as new (length: number) => A)(indices.length * width);
  for (let i = 0; i < indices.length; i++) {
    const from = rowStart(data, width, indices[i] as number);
    rows.set(data.subarray(from, from + width) as never, i * width);
  }
  return rows;
}

/**
 * Writes row i of `rows` `[indices, width]` to row `indices[i]` of `target` `[rows, width]`.
 * @throws RangeError for an index out of range, or if `rows` does not hold one row per index.
 */
export function scatterRows<A extends NumericArray>(
  target: A,
  width: number,
  indices: ArrayLike<number>,
  rows: A,
): void {
  if (rows.length !== indices.length * width) {
    throw new RangeError(`expected ${indices.length} rows of width ${width}, got ${rows.length} numbers`);
  }
  for (let i = 0; i < indices.length; i++) {
    const to = rowStart(target, width, indices[i] as number);
    target.set(rows.subarray(i * width, (i + 1) * width) as never, to);
  }
}

function rowStart(data: NumericArray, width: number, row: number): number {
  const start = row * width;
  if (Number.isInteger(row) && row >= 0 && start + width <= data.length) return start;
  throw new RangeError(`row ${row} of width ${width} is outside ${data.length} numbers`);
}
