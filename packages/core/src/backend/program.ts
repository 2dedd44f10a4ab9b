// The tensor operations in which the method is written, and programs over them: computations over named tensors, written once for
// every backend. Nested programs have records for inputs and outputs, flattened to the names that backends use.

import { BackendRunError, MmtokError } from '../errors.js';
import { type Backend, checkInputs } from './backend.js';
import { shapeOps } from './shapes.js';
import type { HostTensor } from './tensor.js';

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

/** The element types of program inputs and outputs on the host. `float16` inputs are widened before any arithmetic. */
export type ProgramDType = 'float32' | 'int32';

/** The shape and element type of a program's input or output; dimensions are named, e.g. `['n', 'd']`. */
export interface TensorSpec {
  /** Names of the dimensions. A name means the same length everywhere in the program. */
  readonly dims: readonly string[];
  /** @default 'float32' */
  readonly dtype?: ProgramDType;
}

/** Named tensor specifications. */
export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

/**
 * A computation from named inputs to named outputs. Define it once, at module level: backends compile a program on first use and
 * keep the result as long as the program object lives.
 */
export interface Program<I extends TensorSpecs = TensorSpecs, O extends TensorSpecs = TensorSpecs> {
  /** Shown in errors, timings and compiled graphs. */
  readonly name: string;
  readonly inputs: I;
  readonly outputs: O;
  /** Builds the outputs from the inputs. It may use only `ops`, so that it means the same on every backend. */
  build<T>(ops: TensorOps<T>, inputs: Readonly<Record<keyof I, T>>): Readonly<Record<keyof O, T>>;
}

/**
 * Defines a {@link Program}.
 *
 * @example
 * const gram = defineProgram({
 *   name: 'gram',
 *   inputs: { x: { dims: ['n', 'd'] } },
 *   outputs: { g: { dims: ['n', 'n'] } },
 *   build: (ops, { x }) => ({ g: ops.matMul(x, x, { transposeB: true }) }),
 * });
 */
export function defineProgram<const I extends TensorSpecs, const O extends TensorSpecs>(
  program: Program<I, O>,
): Program<I, O> {
  return Object.freeze(program);
}

/** Values in nested records and lists; an absent entry is `undefined`. */
export type Tree<T> =
  | T
  | undefined
  | readonly Tree<T>[]
  | {
      readonly [name: string]: Tree<T>;
    };

/** A {@link Program} whose inputs and outputs are nested. */
export interface NestedProgram {
  /** The same program with flat names, as backends take it. */
  readonly flat: Program;
  readonly inputs: Tree<TensorSpec>;
  readonly outputs: Tree<TensorSpec>;
  /** The computation over nested records, for use in other programs. */
  build<T>(ops: TensorOps<T>, inputs: Tree<T>): Tree<T>;
}

/** Defines a program whose inputs, outputs and `build` are nested records of the given shapes. */
export function defineNestedProgram(
  definition: Omit<NestedProgram, 'flat'> & { readonly name: string },
): NestedProgram {
  const { name, inputs, outputs } = definition;
  const flat = defineProgram({
    name,
    inputs: Object.fromEntries(leaves(inputs)),
    outputs: Object.fromEntries(leaves(outputs)),
    build: <T>(ops: TensorOps<T>, tensors: Readonly<Record<string, T>>) => {
      const built = definition.build(
        ops,
        mapLeaves(inputs, (_, path) => tensors[path] as T),
      );
      return Object.fromEntries(leaves(outputs).map(([path, , steps]) => [path, at(built, steps) as T]));
    },
  });
  return { flat, inputs, outputs, build: definition.build };
}

/** Programs whose shapes fit in an earlier run. */
const sound = new WeakSet<Program>();

/** @throws InvalidTensorError if inputs do not fit the program, and whatever its `build` throws if shapes do not fit within it. */
function checkShapes(program: Program, inputs: Readonly<Record<string, HostTensor>>): void {
  checkInputs(program, inputs);
  program.build(shapeOps, inputs);
  sound.add(program);
}

/**
 * Runs a nested program. Shapes are checked in the first run and after a failure, so that a wrong shape gives the same error on every
 * backend.
 * @param options as for `Backend.run`; `into` is nested like the outputs.
 * @throws InvalidTensorError if an operation gets tensors that do not fit.
 * @throws BackendRunError for untyped errors of a backend or of a program's `build`.
 */
export async function runNested(
  backend: Backend,
  { flat, inputs: specs, outputs }: NestedProgram,
  inputs: Tree<HostTensor>,
  options: { readonly into?: Tree<Float32Array>; readonly lean?: boolean } = {},
): Promise<Tree<HostTensor>> {
  const pick = <T>(tree: Tree<T>, wanted: Tree<TensorSpec>): Record<string, T> =>
    Object.fromEntries(
      leaves(wanted).flatMap(([path, , steps]) => {
        const value = at(tree, steps) as T | undefined;
        return value === undefined ? [] : [[path, value] as const];
      }),
    );
  const given = pick(inputs, specs);
  try {
    if (!sound.has(flat)) checkShapes(flat, given);
    const results = await backend.run(flat, given, {
      into: pick(options.into ?? {}, outputs),
      lean: options.lean,
    });
    return mapLeaves(outputs, (_, path) => results[path] as HostTensor);
  } catch (error) {
    if (sound.has(flat) && MmtokError.isInstance(error, 'MMTOK_BACKEND_RUN')) checkShapes(flat, given);
    if (MmtokError.isInstance(error)) throw error;
    throw new BackendRunError(String(backend.name), flat.name, error);
  }
}

type Steps = readonly string[];

// A record of specifications may have an entry named `dims`; only in a specification is it an array.
const isSpec = (node: Tree<TensorSpec>): node is TensorSpec =>
  node !== undefined && Array.isArray((node as TensorSpec).dims);

const pathOf = (steps: Steps): string =>
  steps.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');

type Leaf = readonly [path: string, spec: TensorSpec, Steps];

/** What {@link leaves} found in a program's inputs or outputs, which every run needs. */
const found = new WeakMap<object, readonly Leaf[]>();

/** Every specification with its flat name and its path. */
function leaves(specs: Tree<TensorSpec>): readonly Leaf[] {
  if (specs === undefined) return [];
  const known = found.get(specs) ?? leavesBelow(specs, []);
  found.set(specs, known);
  return known;
}

function leavesBelow(specs: Tree<TensorSpec>, steps: Steps): readonly Leaf[] {
  if (specs === undefined) return [];
  if (isSpec(specs)) return [[pathOf(steps), specs, steps]];
  return Object.entries(specs).flatMap(([name, child]) => leavesBelow(child, [...steps, name]));
}

/** The same tree with other values in place of the specifications. */
function mapLeaves<T>(
  specs: Tree<TensorSpec>,
  change: (spec: TensorSpec, path: string) => T,
  steps: Steps = [],
): Tree<T> {
  if (specs === undefined) return undefined;
  if (isSpec(specs)) return change(specs, pathOf(steps));
  const children = Object.entries(specs).map(
    ([name, child]) => [name, mapLeaves(child, change, [...steps, name])] as const,
  );
  return Array.isArray(specs) ? children.map(([, child]) => child) : Object.fromEntries(children);
}

function at<T>(tree: Tree<T>, steps: Steps): Tree<T> {
  let node: unknown = tree;
  for (const step of steps) {
    if (node === undefined || node === null || !Object.hasOwn(node, step)) return undefined;
    node = (node as Readonly<Record<string, unknown>>)[step];
  }
  return node as Tree<T>;
}
