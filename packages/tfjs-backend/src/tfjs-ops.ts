// The tensor operations on TensorFlow.js. Callers run them inside `tf.tidy`, which frees intermediate tensors.

import type { TensorOps } from '@mmtok/core';
import { type Tfjs, type TfjsTensor, tidy } from './tfjs.js';

/** How an engine differs from others; see `probeQuirks`. */
export interface EngineQuirks {
  /** Products with a transposed matrix are ten times slower than transposing it first (WASM). */
  readonly transposeFirst: boolean;
  /** A row `[1, n]` broadcasts over a matrix ten times slower than a vector `[n]` (WASM, plain JavaScript). */
  readonly slowLeadingOnes: boolean;
  /** The side on which `maximum` ignores a NaN. */
  readonly maximumDropsNaN: { readonly left: boolean; readonly right: boolean };
}

/** The operations over the tensors of `tf`. */
export function createTfjsOps(tf: Tfjs, quirks: EngineQuirks): TensorOps<TfjsTensor> {
  const lengthOf = (x: TfjsTensor, axis: number): number => x.shape[axis] as number;

  const sum = (x: TfjsTensor, axis: number, keepDims = false): TfjsTensor => {
    if (lengthOf(x, axis) > 0) return tf.sum(x, axis, keepDims);
    // The WASM engine returns uninitialized memory for an empty sum.
    return tf.zeros(keepDims ? x.shape.with(axis, 1) : x.shape.toSpliced(axis, 1), 'float32');
  };

  const matMul = (a: TfjsTensor, b: TfjsTensor, transposeB: boolean): TfjsTensor => {
    const [inner, columns] = transposeB ? [1, 0] : [0, 1];
    const dims = [lengthOf(a, 0), lengthOf(b, columns)];
    const depth = lengthOf(a, 1);
    // The WASM engine also leaves empty products uninitialized.
    if (depth === lengthOf(b, inner) && Math.min(depth, ...dims) === 0) return tf.zeros(dims, 'float32');
    if (!(transposeB && quirks.transposeFirst)) return tf.matMul(a, b, false, transposeB);
    return tidy(tf, () => tf.matMul(a, tf.transpose(b)));
  };

  /** A broadcast operation, with its arguments in the form that is fastest on the engine. */
  const broadcast =
    (operation: (a: TfjsTensor, b: TfjsTensor) => TfjsTensor) =>
    (a: TfjsTensor, b: TfjsTensor): TfjsTensor => {
      if (!quirks.slowLeadingOnes) return operation(a, b);
      return tidy(tf, () => operation(withoutLeadingOnes(tf, a, b), withoutLeadingOnes(tf, b, a)));
    };

  /** Scalars that are not NaN. */
  const numbers = new WeakSet<TfjsTensor>();
  /** 0 for a number, NaN for NaN. */
  const zeroOrNaN = (x: TfjsTensor): TfjsTensor => tf.div(tf.scalar(0), tf.cast(tf.equal(x, x), 'float32'));

  const maximum = broadcast((a, b) => {
    const { left, right } = quirks.maximumDropsNaN;
    const doubtful = [...(left ? [a] : []), ...(right ? [b] : [])].filter((each) => !numbers.has(each));
    if (doubtful.length === 0) return tf.maximum(a, b);
    return tidy(tf, () => doubtful.reduce((kept, each) => tf.add(kept, zeroOrNaN(each)), tf.maximum(a, b)));
  });

  return {
    scalar: (value) => {
      const made = tf.scalar(value, 'float32');
      if (!Number.isNaN(value)) numbers.add(made);
      return made;
    },
    size: (x, axis) => tf.scalar(lengthOf(x, axis), 'float32'),
    range: (x, axis) => tf.range(0, lengthOf(x, axis), 1, 'int32'),

    add: broadcast((a, b) => tf.add(a, b)),
    subtract: broadcast((a, b) => tf.sub(a, b)),
    multiply: broadcast((a, b) => tf.mul(a, b)),
    divide: broadcast((a, b) => tf.div(a, b)),
    maximum,
    exp: (x) => tf.exp(x),
    log: (x) => tf.log(x),
    equal: (a, b) => tf.equal(a, b),
    where: (condition, a, b) => tf.where(condition, a, b),

    matMul: (a, b, options) => matMul(a, b, options?.transposeB ?? false),
    transpose: (x) => tf.transpose(x),
    rowNorms: (x) => tidy(tf, () => tf.sqrt(sum(tf.square(x), 1, true))),
    softmax: (x, axis) => {
      if (axis === x.shape.length - 1) return tf.softmax(x, axis);
      return tidy(tf, () => {
        const shifted = tf.exp(tf.sub(x, tf.max(x, axis, true)));
        return tf.div(shifted, sum(shifted, axis, true));
      });
    },

    sum: (x, axis, options) => sum(x, axis, options?.keepDims),
    max: (x, axis, options) => tf.max(x, axis, options?.keepDims ?? false),
    argMax: (x, axis) => tf.argMax(x, axis),

    concat: (parts, axis) => tf.concat([...parts], axis),
    gather: (x, indices, axis) => tf.gather(x, indices, axis),

    loop: (count, initial, body) => loop(tf, count, initial, body),
  };
}

/** `x` without leading axes of length 1 if broadcasting against `other` restores them. */
function withoutLeadingOnes(tf: Tfjs, x: TfjsTensor, other: TfjsTensor): TfjsTensor {
  const rank = x.shape.length;
  const isShorter = rank < other.shape.length || (rank === other.shape.length && other.shape[0] !== 1);
  if (!isShorter || x.shape[0] !== 1) return x;
  const lead = x.shape.findIndex((length) => length !== 1);
  return tf.reshape(x, lead < 0 ? [] : x.shape.slice(lead));
}

type Named = Readonly<Record<string, TfjsTensor>>;

/** Runs the steps in order, freeing each step's state as soon as the next one has replaced it. */
function loop<S extends Named, E extends Named>(
  tf: Tfjs,
  count: TfjsTensor,
  initial: S,
  body: (state: S) => { readonly state: S; readonly emit: E },
): { readonly state: S; readonly emitted: E } {
  const times = Number(count.dataSync()[0]);
  const steps: E[] = [];
  const kept = new Set<TfjsTensor>(Object.values(initial));
  let state = initial;
  for (let step = 0; step < times; step++) {
    const next = tidy(tf, () => body(state));
    for (const emitted of Object.values(next.emit)) kept.add(emitted);
    const current = new Set<TfjsTensor>(Object.values(next.state));
    for (const old of Object.values(state)) {
      if (!kept.has(old) && !current.has(old)) old.dispose();
    }
    state = next.state;
    steps.push(next.emit);
  }
  return { state, emitted: steps.length > 0 ? stackSteps(tf, steps) : emptySteps(tf, () => body(initial)) };
}

function stackSteps<E extends Named>(tf: Tfjs, steps: readonly E[]): E {
  const names = Object.keys(steps[0] as E);
  return Object.fromEntries(
    names.map((name) => [name, tf.stack(steps.map((step) => step[name] as TfjsTensor))]),
  ) as E;
}

/** Without any step, one trial step gives the names and shapes of the emitted tensors. */
function emptySteps<E extends Named>(tf: Tfjs, trial: () => { readonly emit: E }): E {
  return tidy(tf, () => {
    const empty = Object.entries(trial().emit).map(([name, { shape, dtype }]) => [
      name,
      tf.zeros([0, ...shape], dtype === 'int32' ? 'int32' : 'float32'),
    ]);
    return Object.fromEntries(empty);
  });
}
