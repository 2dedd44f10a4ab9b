// One-dimensional position numbers, as transformers.js counts them from attention masks. mRoPE positions come from the model.

/** Positions of each column by the running count of the mask; masked columns get 1, as upstream. */
export function countPositions(mask: readonly number[], first: number): number[] {
  let next = first;
  return mask.map((bit) => (bit === 0 ? 1 : next++));
}

/** The positions of the last `columns` columns of rows of which `removed[row]` tokens have gone before. */
export function continuedPositions(
  masks: readonly (readonly number[])[],
  columns: number,
  first: number,
  removed: readonly number[],
): number[][] {
  return masks.map((mask, row) => {
    const last = countPositions(mask, first).slice(mask.length - columns);
    const bits = mask.slice(mask.length - columns);
    return last.map((position, at) => (bits[at] === 0 ? position : position + (removed[row] as number)));
  });
}
