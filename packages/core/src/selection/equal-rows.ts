// Finds equal rows, and gives equal candidates the same affinities, so that ties go to the lowest index.

import type { MatrixTensor } from '../backend/tensor.js';
import type { CoverageMatrix } from '../search/objective.js';

/** Results of {@link equalRows} by tensor. */
export type EqualRows = Map<MatrixTensor, Int32Array | undefined>;

/** {@link equalRows} of a tensor, computed once. */
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
    // Columns are not compared, so candidates in columns are treated as different.
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
 * Gives candidates with equal inputs bitwise equal affinities, so that ties go to the lowest index: engines round differently in
 * different tiles of a product. A term that distinguishes equal candidates, e.g. by position, keeps its numbers.
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
 * How many columns of a row are hashed first. They distinguish most rows, and reading the rest costs cache misses. Rows that agree in
 * these columns are hashed whole.
 */
const FIRST_COLUMNS = 8;
/** The offset basis of the hash, FNV-1a over words. */
const SEED = 0x811c9dc5;

/**
 * For each row of a matrix, the first row that is equal to it, which may be itself; undefined if no two rows are equal.
 */
export function equalRows({ data, dims }: MatrixTensor): Int32Array | undefined {
  const [rows, width] = dims as readonly [number, number];
  const words =
    data instanceof Float32Array ? new Uint32Array(data.buffer, data.byteOffset, data.length) : data;
  const negativeZero = data instanceof Float32Array ? 0x80000000 : 0x8000;
  /** A hash of the first columns of a row. */
  const hash = (row: number, columns: number): number => {
    let state = SEED;
    const end = row * width + columns;
    for (let at = row * width; at < end; at++) {
      const word = words[at] as number;
      state = Math.imul(state ^ (word === negativeZero ? 0 : word), 0x01000193);
      state ^= state >>> 15;
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
  const few = (row: number): number => hash(row, Math.min(FIRST_COLUMNS, width));
  const whole = (row: number): number => hash(row, width);
  const suspects = sharing(sharing(undefined, rows, few), rows, whole);
  if (suspects.length === 0) return undefined;
  const first = Int32Array.from({ length: rows }, (_, row) => row);
  /** For each hash the rows that lead a set of equal ones: nearly always one. */
  const leaders = new Map<number, number[]>();
  let isAnyEqual = false;
  for (const row of suspects) {
    const key = whole(row);
    const same = leaders.get(key) ?? [];
    leaders.set(key, same);
    const leader = same.find((each) => isEqual(each, row));
    if (leader === undefined) same.push(row);
    else {
      first[row] = leader;
      isAnyEqual = true;
    }
  }
  return isAnyEqual ? first : undefined;
}

/**
 * The rows whose hash another row shares, ascending.
 * @param among the rows to look at; all if undefined.
 */
function sharing(among: Int32Array | undefined, rows: number, hashOf: (row: number) => number): Int32Array {
  const count = among?.length ?? rows;
  // Open addressing; at most half of the slots are used.
  const slots = 2 ** Math.ceil(Math.log2(2 * count + 2));
  const hashes = new Int32Array(slots);
  /** 1 + the position of the first row with this hash; 0 if the slot is free. */
  const holders = new Int32Array(slots);
  const isShared = new Uint8Array(count);
  let total = 0;
  const mark = (at: number): void => {
    total += 1 - (isShared[at] as number);
    isShared[at] = 1;
  };
  for (let at = 0; at < count; at++) {
    const key = hashOf(among?.[at] ?? at) | 0;
    let slot = (key ^ (key >>> 16)) & (slots - 1);
    while (holders[slot] !== 0 && hashes[slot] !== key) slot = (slot + 1) & (slots - 1);
    if (holders[slot] === 0) {
      holders[slot] = at + 1;
      hashes[slot] = key;
    } else {
      mark((holders[slot] as number) - 1);
      mark(at);
    }
  }
  const found = new Int32Array(total);
  let next = 0;
  for (let at = 0; at < count; at++) if (isShared[at] === 1) found[next++] = among?.[at] ?? at;
  return found;
}
