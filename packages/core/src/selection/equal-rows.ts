// Equal rows: finding them, and giving candidates that are equal the same affinities, so that ties go to the lowest index.

import type { MatrixTensor } from '../backend/tensor.js';
import type { CoverageMatrix } from '../search/coverage-matrix.js';

/** For tensors that were looked at, what {@link equalRows} found. */
export type EqualRows = Map<MatrixTensor, Int32Array | undefined>;

/** {@link equalRows} of a tensor, found once. */
export function equalRowsOf(tensor: MatrixTensor, known: EqualRows): Int32Array | undefined {
  if (!known.has(tensor)) known.set(tensor, equalRows(tensor));
  return known.get(tensor);
}

/** For each candidate the first one whose rows are equal in all tensors the term reads; undefined where none is. */
export function equalCandidates(
  inputs: Readonly<Record<string, readonly [rows: string, columns: string]>>,
  tensors: Readonly<Record<string, MatrixTensor>>,
  { candidates, equal }: { readonly candidates: number; readonly equal: EqualRows },
): Int32Array | undefined {
  let common: Int32Array | undefined;
  for (const [name, [rows, columns]] of Object.entries(inputs)) {
    // Candidates in columns are not looked at, so nothing is known of them.
    if (rows !== 'n' && columns === 'n') return undefined;
    if (rows !== 'n') continue;
    const tensor = tensors[name] as MatrixTensor;
    const first = equalRowsOf(tensor, equal);
    if (first === undefined) return undefined;
    common = common === undefined || common === first ? first : meet(common, first, candidates);
  }
  return common;
}

function meet(a: Int32Array, b: Int32Array, candidates: number): Int32Array {
  const leaders = new Map<number, number>();
  return Int32Array.from({ length: candidates }, (_, j) => {
    const key = (a[j] as number) * candidates + (b[j] as number);
    const leader = leaders.get(key) ?? j;
    leaders.set(key, leader);
    return leader;
  });
}

/**
 * Gives candidates with equal inputs equal affinities to the bit, so that ties go to the lowest index: engines round
 * differently in different tiles of a product. A term that tells equal candidates apart (by their place) keeps its numbers.
 */
export function settleTies(
  { affinity, targets }: CoverageMatrix,
  firstGains: Float32Array,
  first: Int32Array | undefined,
  precision: number,
): void {
  const rounding = Math.max(1e-3, 4 * precision);
  first?.forEach((leader, j) => {
    if (leader === j) return;
    const [from, to] = [leader * targets, j * targets];
    let largest = 0;
    let difference = 0;
    for (let i = 0; i < targets; i++) {
      const value = affinity[from + i] as number;
      largest = Math.max(largest, value);
      difference = Math.max(difference, Math.abs(value - (affinity[to + i] as number)));
    }
    if (difference > rounding * largest) return;
    affinity.copyWithin(to, from, from + targets);
    firstGains[j] = firstGains[leader] as number;
  });
}

/**
 * How many places of a row are looked at, one after the other; rows that differ in none of these are compared whole. One
 * place tells most rows apart, and each more is a cache miss per row: sixteen took a tenth of a selection of 576 tokens.
 */
const PLACES = [1, 8];
/** Columns that are looked at in each place. */
const COLUMNS = 8;

/**
 * For each row of a matrix, the first row that is equal to it, which may be itself; undefined where no two rows are equal.
 */
export function equalRows({ data, dims }: MatrixTensor): Int32Array | undefined {
  const [rows, width] = dims as readonly [number, number];
  const words =
    data instanceof Float32Array ? new Uint32Array(data.buffer, data.byteOffset, data.length) : data;
  const negativeZero = data instanceof Float32Array ? 0x80000000 : 0x8000;
  /** A hash of `columns` columns every `stride` columns. */
  const hash = (row: number, stride: number, columns: number): number => {
    let state = 0x811c9dc5;
    const end = (row + 1) * width;
    for (let start = row * width; start < end; start += stride) {
      const stop = Math.min(start + columns, end);
      for (let at = start; at < stop; at++) {
        const word = words[at] as number;
        state = Math.imul(state ^ (word === negativeZero ? 0 : word), 0x01000193);
        state ^= state >>> 15;
      }
    }
    return state;
  };
  const isEqual = (a: number, b: number): boolean => {
    for (let column = 0; column < width; column++) {
      const [x, y] = [words[a * width + column] as number, words[b * width + column] as number];
      if (x !== y && !((x === 0 || x === negativeZero) && (y === 0 || y === negativeZero))) return false;
    }
    return true;
  };
  let groups = [range(rows)];
  for (const places of PLACES) {
    const stride = Math.max(COLUMNS, Math.ceil(width / places));
    groups = groups.flatMap((group) => alike(group, (row) => hash(row, stride, COLUMNS)));
  }
  groups = groups.flatMap((group) => alike(group, (row) => hash(row, width, width)));
  const first = Int32Array.from({ length: rows }, (_, row) => row);
  let isAnyEqual = false;
  for (const group of groups) {
    // Rows that a hash cannot tell apart are nearly always equal, so there is one leader, and seldom a second.
    const leaders: number[] = [];
    for (const row of group) {
      const leader = leaders.find((each) => isEqual(each, row));
      if (leader === undefined) leaders.push(row);
      else {
        first[row] = leader;
        isAnyEqual = true;
      }
    }
  }
  return isAnyEqual ? first : undefined;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Groups of two or more rows with the same hash, each in the order given. */
function alike(rows: readonly number[], hashOf: (row: number) => number): number[][] {
  const firstOf = new Map<number, number>();
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const key = hashOf(row);
    const first = firstOf.get(key);
    if (first === undefined) firstOf.set(key, row);
    else {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [first, row]);
      else group.push(row);
    }
  }
  return [...groups.values()];
}
