// Programs whose inputs and outputs are nested records, and running them. Backends get flat names.

import { BackendRunError, MmtokError } from '../errors.js';
import {
  type Backend,
  checkInputs,
  defineProgram,
  type Program,
  type TensorOps,
  type TensorSpec,
} from './backend.js';
import { shapeOps } from './shapes.js';
import type { HostTensor } from './tensor.js';

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
