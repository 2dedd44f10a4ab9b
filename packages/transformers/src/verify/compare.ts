// Numeric comparisons: what two runs fed to the language model, answers against logits, rows against rows.

import type { Float32Tensor } from '@mmtok/core';
import { createRandom, shuffleFront } from '@mmtok/core/internal';
import { isTensor } from '../internal/types.js';
import type { FirstFeeds } from './subject.js';

/** How two sets of feeds differ. */
export interface FeedDifference {
  /** Inputs that were compared; inputs on a GPU are not. */
  readonly compared: readonly string[];
  /** The input that differs most, if any does. */
  readonly input?: string;
  /** The largest difference of two elements, as a share of the largest element. */
  readonly relative: number;
}

/** Compares the language model's feeds for a prompt, input by input, except caches. */
export function compareFeeds(expected: FirstFeeds, got: FirstFeeds): FeedDifference {
  const compared: string[] = [];
  let worst: FeedDifference = { compared, relative: 0 };
  for (const [name, value] of Object.entries(expected)) {
    if (name.startsWith('past')) continue;
    const [a, b] = [hostData(value), hostData(got[name])];
    if (a === undefined || b === undefined) continue;
    compared.push(name);
    const relative = relativeDifference(a, b);
    if (relative > worst.relative) worst = { compared, input: name, relative };
  }
  return worst;
}

type Numbers = ArrayLike<number | bigint>;

function hostData(value: unknown): Numbers | undefined {
  if (!isTensor(value)) return undefined;
  const { location } = value as { readonly location?: string };
  const isOnHost = location === undefined || location.startsWith('cpu');
  return isOnHost ? (value.data as Numbers) : undefined;
}

/** The largest difference of two elements, as a share of the largest element; infinite if the lengths differ. */
export function relativeDifference(a: Numbers, b: Numbers): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let largest = 0;
  for (let at = 0; at < a.length; at++) {
    const [one, other] = [Number(a[at]), Number(b[at])];
    const apart = Math.abs(one - other);
    if (Number.isNaN(apart)) {
      if (Number.isNaN(one) !== Number.isNaN(other)) return Number.POSITIVE_INFINITY;
      continue;
    }
    difference = Math.max(difference, apart);
    largest = Math.max(largest, Math.abs(one));
  }
  return difference === 0 ? 0 : difference / Math.max(largest, Number.MIN_VALUE);
}

/** How the logits of a step differ from the reference logits. */
export interface LogitsDifference {
  /** Whether both select the same token. */
  readonly sameChoice: boolean;
  /** The largest difference, as a share of the distance from the reference's maximum to its median. */
  readonly relative: number;
}

/** Compares the logits of a step with the expected ones. */
export function compareLogits(expected: Float32Array, got: Float32Array): LogitsDifference {
  if (expected.length !== got.length) return { sameChoice: false, relative: Number.POSITIVE_INFINITY };
  let [best, bestGot, apart] = [0, 0, 0];
  expected.forEach((value, at) => {
    const other = got[at] as number;
    if (value > (expected[best] as number)) best = at;
    if (other > (got[bestGot] as number)) bestGot = at;
    // Infinite if the model rules a token out.
    if (Number.isFinite(value)) apart = Math.max(apart, Math.abs(value - other));
  });
  const median = expected.toSorted()[Math.floor(expected.length / 2)] as number;
  return {
    sameChoice: best === bestGot,
    relative: apart === 0 ? 0 : apart / ((expected[best] as number) - median),
  };
}

/** How well the rows of two matrices match. */
export interface RowAgreement {
  /** Correlation between how much each row changes in one matrix and how much the same row changes in the other. */
  readonly aligned: number;
  /** The highest correlation for any other order of the rows. */
  readonly otherwise: number;
}

const RANDOM_ORDERS = 60;

/**
 * Checks whether row i of the features belongs to row i of the projected ones. Both are given for an image and for copies of
 * it that each differ in one place: a projector works row by row, so rows that change in one must change in the other. The
 * result is compared with other row orders: reversed, shifted by one, column by column, and random.
 * @param columns of the grid that the rows form, if they do.
 * @returns nothing if the changes are too small or too uniform for a result.
 */
export function rowAgreement(
  features: readonly Float32Tensor[],
  projected: readonly Float32Tensor[],
  columns: number | undefined,
): RowAgreement | undefined {
  const n = features[0]?.dims[0] as number;
  const changesOf = (all: readonly Float32Tensor[]): Float64Array[] => {
    const [base, ...copies] = all as readonly [Float32Tensor, ...Float32Tensor[]];
    const scales = dimensionScales(base);
    return copies.map((copy) => rowChanges(base, copy, scales));
  };
  const [left, right] = [changesOf(features), changesOf(projected)];
  const inOrder = Array.from({ length: n }, (_, row) => row);
  const aligned = correlation(left, right, inOrder);
  if (Number.isNaN(aligned)) return undefined;
  const orders = [inOrder.toReversed(), inOrder.map((row) => (row + 1) % n)];
  if (columns !== undefined && columns > 1 && columns < n && n % columns === 0) {
    const height = n / columns;
    orders.push(inOrder.map((row) => (row % height) * columns + Math.floor(row / height)));
  }
  const random = createRandom(1);
  for (let at = 0; at < RANDOM_ORDERS; at++) {
    const order = Int32Array.from(inOrder);
    shuffleFront(order, n, random);
    orders.push([...order]);
  }
  const isOther = (order: readonly number[]): boolean => order.some((row, at) => row !== at);
  return {
    aligned,
    otherwise: Math.max(...orders.filter(isOther).map((order) => correlation(left, right, order))),
  };
}

/** One over the standard deviation of each dimension, so that no dimension dominates; 0 for constant ones. */
function dimensionScales({ data, dims }: Float32Tensor): Float64Array {
  const [n = 0, width = 0] = dims;
  return Float64Array.from({ length: width }, (_, d) => {
    let [sum, square] = [0, 0];
    for (let row = 0; row < n; row++) {
      const value = data[row * width + d] as number;
      sum += value;
      square += value ** 2;
    }
    const deviation = Math.sqrt(Math.max(0, square / n - (sum / n) ** 2));
    return deviation <= 1e-6 * Math.abs(sum / n) ? 0 : 1 / deviation;
  });
}

/** How far each row moved, as a share of the mean over all rows. */
function rowChanges(a: Float32Tensor, b: Float32Tensor, scales: Float64Array): Float64Array {
  const width = scales.length;
  const changes = new Float64Array(a.dims[0] as number);
  for (let row = 0; row < changes.length; row++) {
    let sum = 0;
    for (let d = 0; d < width; d++) {
      const at = row * width + d;
      sum += (((a.data[at] as number) - (b.data[at] as number)) * (scales[d] as number)) ** 2;
    }
    changes[row] = Math.sqrt(sum);
  }
  const mean = changes.reduce((sum, change) => sum + change, 0) / changes.length;
  return changes.map((change) => change / mean);
}

/** Correlation of the entries of `a` with the entries of `b` in another order. */
function correlation(
  a: readonly Float64Array[],
  b: readonly Float64Array[],
  order: readonly number[],
): number {
  const count = a.length * order.length;
  let [sumA, sumB, product, squareA, squareB] = [0, 0, 0, 0, 0];
  a.forEach((changes, copy) => {
    order.forEach((from, at) => {
      const x = changes[at] as number;
      const y = b[copy]?.[from] as number;
      sumA += x;
      sumB += y;
      product += x * y;
      squareA += x * x;
      squareB += y * y;
    });
  });
  const spread = (square: number, sum: number): number => Math.max(0, square - sum ** 2 / count);
  return (product - (sumA * sumB) / count) / Math.sqrt(spread(squareA, sumA) * spread(squareB, sumB));
}
