// A program: a computation over named tensors, written once for every backend.

import type { TensorOps } from './ops.js';

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
