// Which columns of a batch stay when vision tokens go: each row is cut, then padded on the left to the longest.

/** The columns that stay, row by row; −1 is padding. All rows have one length. */
export function keptColumns(
  masks: readonly (readonly number[])[],
  removed: readonly ReadonlySet<number>[],
): number[][] {
  const rows = masks.map((mask, row) =>
    mask.flatMap((bit, column) => (bit !== 0 && !removed[row]?.has(column) ? [column] : [])),
  );
  const width = Math.max(...rows.map((row) => row.length));
  return rows.map((row) => [...new Array<number>(width - row.length).fill(-1), ...row]);
}
