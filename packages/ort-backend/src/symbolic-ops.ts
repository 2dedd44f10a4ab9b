// Records a program as an ONNX graph: the tensor ops over symbols instead of numbers.

import type { TensorOps } from '@mmtok/core';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '@mmtok/onnx';
import { gramBlocks } from './gram.js';
import { RowBlocks, type ShapeKind, transposedKind } from './row-blocks.js';
import type { RecordNode, SymbolicTensor } from './symbolic-tensor.js';

type Constant = OnnxTensor & { readonly name: string };

/** What has been recorded so far. */
export interface Recording {
  readonly ops: TensorOps<SymbolicTensor>;
  readonly node: RecordNode;
  /** Records a tensor as a whole if it exists only as blocks of rows so far. */
  join(tensor: SymbolicTensor): void;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly Constant[];
  /** Names of the inputs that are read block by block: see `blockName`. */
  readonly viewed: ReadonlySet<string>;
  /** Whether the recording depends on {@link RecordingOptions.blocks} and {@link RecordingOptions.kinds}. */
  readonly usesBlocks: boolean;
}

/** How operations are recorded. */
export interface RecordingOptions {
  /** Prefer operations that work in place to faster ones that hold several copies of a matrix. */
  readonly isLean: boolean;
  /** The number of blocks in which the product of a matrix with its own transpose is computed; 1 multiplies it as a whole. */
  readonly blocks: number;
  /** Compute row norms as products, one per row. Fast only where the engine has a kernel for products of vectors. */
  readonly hasRowProducts: boolean;
  /** What is known of the shapes of named tensors. Only needed for more than one block. */
  readonly kinds: ReadonlyMap<string, ShapeKind>;
  /** Names of inputs whose blocks of rows can be inputs, too. Only read for more than one block. */
  readonly viewable: ReadonlySet<string>;
}

/** How many numbers of a row are squared and summed at a time. */
const PIECE = 32;

/** Starts a recording. */
export function startRecording({
  isLean,
  blocks,
  hasRowProducts,
  kinds,
  viewable,
}: RecordingOptions): Recording {
  const constants = new Map<string, Constant>();
  const recorded: OnnxNode[] = [];
  // Where nodes go: the graph, or the body of the loop being recorded, which sees the names around it.
  let nodes = recorded;
  let count = 0;
  let usesBlocks = false;
  const fresh = (): SymbolicTensor => ({ name: `t${count++}` });
  const node: RecordNode = (opType, inputs, attributes, name) => {
    const output = name === undefined ? fresh() : { name };
    for (const input of inputs) rowBlocks.join(input);
    nodes.push({
      opType,
      inputs: inputs.map((input) => input.name),
      outputs: [output.name],
      ...(attributes && { attributes }),
    });
    return output;
  };
  const rowBlocks = new RowBlocks(node, fresh, kinds, viewable);
  const constant = (dtype: 'float32' | 'int64', dims: readonly number[], value: number): SymbolicTensor => {
    const key = `${dtype} [${dims.join()}] ${Object.is(value, -0) ? '-0' : value}`;
    const tensor = { dtype, dims, data: [value], name: `c${constants.size}` } as Constant;
    const first = constants.get(key) ?? tensor;
    constants.set(key, first);
    return { name: first.name };
  };
  let zero: SymbolicTensor | undefined;
  const scalar = (value: number): SymbolicTensor => {
    const tensor = constant('float32', [], value);
    if (Object.is(value, 0)) zero = tensor;
    return rowBlocks.withKind(tensor, 'scalar');
  };
  const index = (value: number): SymbolicTensor => constant('int64', [], value);
  const indexList = (value: number): SymbolicTensor => constant('int64', [1], value);
  const length = (x: SymbolicTensor, axis: number): SymbolicTensor =>
    node('Gather', [node('Shape', [x]), index(axis)], { axis: { int: 0 } });
  const keep = (options?: { readonly keepDims?: boolean }): OnnxAttribute => ({
    int: options?.keepDims ? 1 : 0,
  });
  const rowNorms = (x: SymbolicTensor): SymbolicTensor => {
    if (hasRowProducts) {
      // Each row times itself: ONNX Runtime fuses the transpose into the product, copies nothing, and uses SIMD.
      const wide = node('Unsqueeze', [x, indexList(1)]);
      const tall = node('Transpose', [wide], { perm: { ints: [0, 2, 1] } });
      return node('Squeeze', [node('Sqrt', [node('MatMul', [wide, tall])]), indexList(2)]);
    }
    // One pass without a copy of x: writing out the squares takes twice the CPU time for 576 × 4096 numbers. ReduceL2 adds squares one
    // by one, each waiting for the last; norms of pieces, and then of those norms, take 60 % of the time.
    const width = node('Gather', [node('Shape', [x]), indexList(1)], { axis: { int: 0 } });
    const isWhole = node('Equal', [node('Mod', [width, indexList(PIECE)]), indexList(0)]);
    const piece = node('Where', [isWhole, indexList(PIECE), width]);
    // 0 in a shape keeps the length that x has.
    const shape = node('Concat', [indexList(0), node('Div', [width, piece]), piece], { axis: { int: 0 } });
    const norms = (of: SymbolicTensor, axis: number, keepdims: number): SymbolicTensor =>
      node('ReduceL2', [of], { axes: { ints: [axis] }, keepdims: { int: keepdims } });
    return norms(norms(node('Reshape', [x, shape]), 2, 0), 1, 1);
  };

  const ops: TensorOps<SymbolicTensor> = {
    scalar,
    size: (x, axis) => rowBlocks.withKind(node('Cast', [length(x, axis)], { to: { int: 1 } }), 'scalar'),
    range: (x, axis) => node('Range', [index(0), length(x, axis), index(1)]),

    add: (a, b) => rowBlocks.binary('Add', a, b),
    subtract: (a, b) => rowBlocks.binary('Sub', a, b),
    multiply: (a, b) => rowBlocks.binary('Mul', a, b),
    divide: (a, b) => rowBlocks.binary('Div', a, b),
    // Unlike Max, Relu works in place.
    maximum: (a, b) =>
      isLean && b.name === zero?.name ? rowBlocks.unary('Relu', a) : rowBlocks.binary('Max', a, b),
    exp: (x) => rowBlocks.unary('Exp', x),
    log: (x) => rowBlocks.unary('Log', x),
    equal: (a, b) => node('Equal', [a, b]),
    where: (condition, a, b) => node('Where', [condition, a, b]),

    matMul: (a, b, options) => {
      if (options?.transposeB && a.name === b.name) {
        usesBlocks = true;
        if (blocks > 1) return rowBlocks.add(gramBlocks(node, rowBlocks.split(a, blocks, indexList)));
      }
      // Gemm reads a transposed second matrix in place; MatMul would need a copy first.
      const product = node('Gemm', [a, b], { transB: { int: options?.transposeB ? 1 : 0 } });
      return rowBlocks.withKind(
        product,
        options?.transposeB && rowBlocks.kindOf(b) === 'row' ? 'column' : undefined,
      );
    },
    transpose: (x) =>
      rowBlocks.withKind(
        node('Transpose', [x], { perm: { ints: [1, 0] } }),
        transposedKind(rowBlocks.kindOf(x)),
      ),
    rowNorms: (x) => rowBlocks.withKind(rowNorms(x), 'column'),
    softmax: (x, axis) => {
      // Over the first axis, ONNX Runtime transposes a copy, and the result back.
      if (!isLean || axis !== 0) {
        return rowBlocks.withKind(node('Softmax', [x], { axis: { int: axis } }), rowBlocks.kindOf(x));
      }
      const keepDims = { keepDims: true };
      const powers = ops.exp(ops.subtract(x, ops.max(x, axis, keepDims)));
      return ops.divide(powers, ops.sum(powers, axis, keepDims));
    },

    sum: (x, axis, options) =>
      rowBlocks.reduction(x, axis, options?.keepDims === true, (part) =>
        node('ReduceSum', [part, indexList(axis)], { keepdims: keep(options) }),
      ),
    max: (x, axis, options) =>
      rowBlocks.reduction(x, axis, options?.keepDims === true, (part) =>
        node('ReduceMax', [part], { axes: { ints: [axis] }, keepdims: keep(options) }),
      ),
    argMax: (x, axis) => node('ArgMax', [x], { axis: { int: axis }, keepdims: { int: 0 } }),

    concat: (parts, axis) => node('Concat', parts, { axis: { int: axis } }),
    gather: (x, indices, axis) => node('Gather', [x, indices], { axis: { int: axis } }),

    loop: (times, state, body) => {
      const names = Object.keys(state);
      const carried = names.map(fresh);
      const [iteration, condition] = [fresh(), fresh()];
      const around = nodes;
      const bodyNodes: OnnxNode[] = [];
      const { emitNames, outputs, nextCondition } = rowBlocks.inBody(() => {
        nodes = bodyNodes;
        const step = body(Object.fromEntries(names.map((name, i) => [name, carried[i]])) as typeof state);
        const emitted = Object.keys(step.emit);
        // A body may pass a value through unchanged or emit it twice, but its outputs need unique names.
        const symbols = [
          ...names.map((name) => step.state[name] as SymbolicTensor),
          ...emitted.map((name) => step.emit[name] as SymbolicTensor),
        ].map((symbol) => node('Identity', [symbol]));
        return { emitNames: emitted, outputs: symbols, nextCondition: node('Identity', [condition]) };
      });
      nodes = around;

      const results = outputs.map(fresh);
      nodes.push({
        opType: 'Loop',
        inputs: [times.name, '', ...names.map((name) => (state[name] as SymbolicTensor).name)],
        outputs: results.map(({ name }) => name),
        attributes: {
          body: {
            graph: {
              inputs: [
                { name: iteration.name, dtype: 'int64', dims: [] },
                { name: condition.name, dtype: 'bool', dims: [] },
                // Untyped: each takes the type of its initial state, which is another for indices.
                ...carried.map(({ name }) => ({ name })),
              ],
              outputs: [nextCondition, ...outputs].map(({ name }) => ({ name })),
              nodes: bodyNodes,
            },
          },
        },
      });
      const resultsOf = (keys: readonly string[], offset: number): Record<string, SymbolicTensor> =>
        Object.fromEntries(keys.map((key, i) => [key, results[offset + i] as SymbolicTensor]));
      return { state: resultsOf(names, 0) as never, emitted: resultsOf(emitNames, names.length) as never };
    },
  };
  return {
    ops,
    node,
    join: (tensor) => rowBlocks.join(tensor),
    nodes: recorded,
    viewed: rowBlocks.viewed,
    get constants() {
      return [...constants.values()];
    },
    get usesBlocks() {
      return usesBlocks;
    },
  };
}
