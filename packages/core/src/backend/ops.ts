// The tensor operations in which the method is written. Each backend implements them.

/**
 * The operations a backend implements, over its own tensor type `T`. A program is written once against this interface (see
 * `Program`): an eager backend runs it directly, a compiling backend passes symbolic tensors.
 *
 * Numbers are 32-bit floats, except for *index* tensors: integers that come only from `range`, `argMax` and inputs declared
 * `'int32'`. Element-wise operations broadcast as in NumPy: shapes are aligned at the last axis, and axes of length 1 stretch.
 * Axes count from 0 and are never negative.
 */
export interface TensorOps<T> {
  /** A constant of shape `[]`. */
  scalar(value: number): T;
  /** The length of `axis` as a float of shape `[]`. Known only at run time, so that a program fits every size. */
  size(x: T, axis: number): T;
  /** The indices `0 … length of axis − 1` of `x`, shape `[n]`, *index*. */
  range(x: T, axis: number): T;

  /** Element-wise `a + b`. */
  add(a: T, b: T): T;
  /** Element-wise `a − b`. */
  subtract(a: T, b: T): T;
  /** Element-wise `a · b`. */
  multiply(a: T, b: T): T;
  /** Element-wise `a / b`. */
  divide(a: T, b: T): T;
  /** Element-wise maximum; NaN propagates. */
  maximum(a: T, b: T): T;
  /** Element-wise eˣ. */
  exp(x: T): T;
  /** Element-wise natural logarithm. */
  log(x: T): T;
  /** Element-wise equality of two *index* tensors: a condition, for {@link where} only. */
  equal(a: T, b: T): T;
  /** Element-wise choice: `a` where the condition holds, else `b`. */
  where(condition: T, a: T, b: T): T;

  /** Matrix product of `[n, d]` with `[d, m]`, or with `[m, d]` when `transposeB`: `[n, m]`. */
  matMul(a: T, b: T, options?: { readonly transposeB?: boolean }): T;
  /** `[n, m]` to `[m, n]`. */
  transpose(x: T): T;
  /** The Euclidean norm of every row of `[n, d]`: `[n, 1]`. Not finite if a row holds NaN or infinity. */
  rowNorms(x: T): T;
  /** Softmax along `axis`, numerically stable: eˣ⁻ᵐᵃˣ / Σ eˣ⁻ᵐᵃˣ. */
  softmax(x: T, axis: number): T;

  /** Sum over `axis`, which is dropped, or kept with length 1 if `keepDims`. */
  sum(x: T, axis: number, options?: { readonly keepDims?: boolean }): T;
  /** Maximum over `axis`, which is dropped, or kept with length 1 if `keepDims`. The axis must not be empty or hold NaN. */
  max(x: T, axis: number, options?: { readonly keepDims?: boolean }): T;
  /** Index of the maximum over `axis`, which is dropped, *index*. **Ties go to the lowest index.** The axis must not hold NaN. */
  argMax(x: T, axis: number): T;

  /** Concatenates tensors along `axis`; the other axes must agree. */
  concat(parts: readonly T[], axis: number): T;
  /** The slices of `x` along `axis` at the *index* tensor `indices`, none negative (shape `[]` drops the axis, `[k]` keeps `k`). */
  gather(x: T, indices: T, axis: number): T;

  /**
   * Runs `body` `count` times (`count`: *index*, shape `[]`), passes the state from step to step, and stacks what each step emits
   * along a new axis 0. State tensors keep their shapes and remain *index* or float.
   */
  loop<S extends Readonly<Record<string, T>>, E extends Readonly<Record<string, T>>>(
    count: T,
    state: S,
    body: (state: S) => { readonly state: S; readonly emit: E },
  ): { readonly state: S; readonly emitted: E };
}
