// Cosine similarities of rows, in plain loops: for hundreds of tokens that is a matter of milliseconds.

/** Rows of length 1, one after another. */
export interface Rows {
  readonly data: Float32Array;
  readonly count: number;
  readonly width: number;
}

/** Scales the rows of a matrix to length 1; rows of zeros stay. */
export function normalizedRows({
  data,
  dims,
}: {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}): Rows {
  const [count = 0, width = 0] = dims;
  const scaled = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const at = row * width;
    let sum = 0;
    for (let column = 0; column < width; column++) sum += (data[at + column] as number) ** 2;
    const length = Math.sqrt(sum) || 1;
    for (let column = 0; column < width; column++)
      scaled[at + column] = (data[at + column] as number) / length;
  }
  return { data: scaled, count, width };
}

/** The cosine between a row of one matrix and a row of another of the same width. */
export function similarity(a: Rows, rowOfA: number, b: Rows, rowOfB: number): number {
  const { width } = a;
  let [atA, atB, sum] = [rowOfA * width, rowOfB * width, 0];
  for (const end = atA + width; atA < end; ) sum += (a.data[atA++] as number) * (b.data[atB++] as number);
  return sum;
}

/** For each row of `targets`, which of the given rows of `from` is nearest. */
export function nearest(targets: Rows, from: Rows, candidates: readonly number[]): number[] {
  return Array.from({ length: targets.count }, (_, target) => {
    let best = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (const candidate of candidates) {
      const value = similarity(targets, target, from, candidate);
      if (value > highest) [highest, best] = [value, candidate];
    }
    return best;
  });
}
