// Which columns of a batch stay when vision tokens go: each row is cut, then padded to the longest.

/**
 * The columns that stay, row by row; −1 is padding. All rows have one length.
 * @param padding where shorter rows are filled up. Decoders go on at the right end and need it on the left; encoders
 * number their tokens by column and need it on the right.
 */
export function keptColumns(
  masks: readonly (readonly number[])[],
  removed: readonly ReadonlySet<number>[],
  padding: 'left' | 'right',
): number[][] {
  const rows = masks.map((mask, row) =>
    mask.flatMap((bit, column) => (bit !== 0 && !removed[row]?.has(column) ? [column] : [])),
  );
  const width = Math.max(...rows.map((row) => row.length));
  return rows.map((row) => {
    const fill = new Array<number>(width - row.length).fill(-1);
    return padding === 'left' ? [...fill, ...row] : [...row, ...fill];
  });
}
