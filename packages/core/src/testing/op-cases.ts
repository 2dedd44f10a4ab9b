// One small program per operation and its test sizes, for the conformance suite.

import { defineProgram, type Program, type TensorOps } from '../backend/backend.js';

/** A program that exercises one operation. */
export interface OpCase {
  /** The operation. */
  readonly op: keyof TensorOps<unknown>;
  /** What aspect of it. */
  readonly aspect: string;
  readonly program: Program;
  /** Lengths of the program's dimensions, one entry per run. */
  readonly sizes: readonly Readonly<Record<string, number>>[];
  /** Draw inputs in (0, 1] instead of (−2, 2). */
  readonly positive?: boolean;
}

type Build = <T>(ops: TensorOps<T>, inputs: Readonly<Record<string, T>>) => T;

/** Sizes of a matrix: one element, a row, a column, not square, several hundred thousand elements. */
const MATRICES = [
  { n: 1, d: 1 },
  { n: 1, d: 7 },
  { n: 5, d: 1 },
  { n: 6, d: 4 },
  { n: 300, d: 700 },
];
/** The same, and without rows. */
const WITH_EMPTY = [...MATRICES, { n: 0, d: 4 }];

function opCase(
  op: OpCase['op'],
  aspect: string,
  inputs: Readonly<Record<string, readonly string[]>>,
  output: readonly string[],
  sizes: OpCase['sizes'],
  build: Build,
  extra: Partial<OpCase> & { readonly dtype?: 'int32' } = {},
): OpCase {
  const { dtype, ...rest } = extra;
  const program = defineProgram({
    name: `${op} ${aspect}`,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, dims]) => [name, { dims }])),
    outputs: { out: { dims: output, ...(dtype && { dtype }) } },
    build: <T>(ops: TensorOps<T>, tensors: Readonly<Record<string, T>>) => ({ out: build(ops, tensors) }),
  });
  return { op, aspect, program, sizes, ...rest };
}

const pair = (op: 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum'): OpCase[] => {
  const positive = op === 'divide';
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['matrices', ['n', 'd'], ['n', 'd']],
    ['matrix and row', ['n', 'd'], ['one', 'd']],
    ['column and matrix', ['n', 'one'], ['n', 'd']],
    ['matrix and scalar', ['n', 'd'], []],
    ['column and row', ['n', 'one'], ['one', 'd']],
  ];
  return cases.map(([aspect, a, b]) =>
    opCase(
      op,
      aspect,
      { a, b },
      ['n', 'd'],
      WITH_EMPTY.map((size) => ({ ...size, one: 1 })),
      (ops, x) => ops[op](x.a as never, x.b as never),
      { positive },
    ),
  );
};

const X = { x: ['n', 'd'] } as const;

/** The cases of all operations. */
export const opCases: readonly OpCase[] = [
  ...pair('add'),
  ...pair('subtract'),
  ...pair('multiply'),
  ...pair('divide'),
  ...pair('maximum'),
  opCase('scalar', 'as a factor', X, ['n', 'd'], WITH_EMPTY, (ops, { x }) =>
    ops.multiply(x as never, ops.scalar(-2.5)),
  ),
  opCase('size', 'of both axes', X, ['n', 'd'], WITH_EMPTY, (ops, { x }) =>
    ops.add(ops.multiply(x as never, ops.size(x as never, 0)), ops.size(x as never, 1)),
  ),
  opCase('range', 'of rows', X, ['n'], WITH_EMPTY, (ops, { x }) => ops.range(x as never, 0), {
    dtype: 'int32',
  }),
  opCase('exp', '', X, ['n', 'd'], WITH_EMPTY, (ops, { x }) => ops.exp(x as never)),
  opCase('log', '', X, ['n', 'd'], WITH_EMPTY, (ops, { x }) => ops.log(x as never), { positive: true }),
  opCase('equal', 'and where', X, ['n', 'd'], MATRICES, (ops, { x }) => {
    const chosen = ops.argMax(ops.sum(x as never, 0), 0);
    return ops.where(ops.equal(ops.range(x as never, 1), chosen), x as never, ops.scalar(0));
  }),
  opCase('where', 'of one row', X, ['n'], MATRICES, (ops, { x }) => {
    const rows = ops.range(x as never, 0);
    const chosen = ops.argMax(ops.sum(x as never, 1), 0);
    return ops.where(ops.equal(rows, chosen), ops.scalar(7), ops.sum(x as never, 1));
  }),
  opCase(
    'matMul',
    'plain',
    { a: ['n', 'd'], b: ['d', 'm'] },
    ['n', 'm'],
    WITH_EMPTY.map((size) => ({ ...size, m: 3 })),
    (ops, { a, b }) => ops.matMul(a as never, b as never),
  ),
  opCase(
    'matMul',
    'transposed',
    { a: ['n', 'd'], b: ['m', 'd'] },
    ['n', 'm'],
    [...WITH_EMPTY.map((size) => ({ ...size, m: 3 })), { n: 3, d: 4, m: 0 }],
    (ops, { a, b }) => ops.matMul(a as never, b as never, { transposeB: true }),
  ),
  opCase(
    'matMul',
    'with its own transpose',
    X,
    ['n', 'n'],
    [...MATRICES, { n: 0, d: 4 }, { n: 2, d: 3 }, { n: 3, d: 3 }, { n: 9, d: 5 }, { n: 130, d: 33 }],
    (ops, { x }) => ops.matMul(x as never, x as never, { transposeB: true }),
  ),
  opCase('transpose', '', X, ['d', 'n'], WITH_EMPTY, (ops, { x }) => ops.transpose(x as never)),
  opCase('rowNorms', '', X, ['n', 'one'], WITH_EMPTY, (ops, { x }) => ops.rowNorms(x as never)),
  opCase('rowNorms', 'of zeros', X, ['n', 'one'], MATRICES, (ops, { x }) =>
    ops.rowNorms(ops.multiply(x as never, ops.scalar(0))),
  ),
  opCase('softmax', 'over rows', X, ['n', 'd'], WITH_EMPTY, (ops, { x }) => ops.softmax(x as never, 1)),
  opCase('softmax', 'over columns', X, ['n', 'd'], WITH_EMPTY, (ops, { x }) => ops.softmax(x as never, 0)),
  opCase('softmax', 'of large numbers', X, ['n', 'd'], MATRICES, (ops, { x }) =>
    ops.softmax(ops.multiply(x as never, ops.scalar(1024)), 0),
  ),
  opCase('sum', 'over rows', X, ['n'], WITH_EMPTY, (ops, { x }) => ops.sum(x as never, 1)),
  opCase('sum', 'over columns', X, ['d'], WITH_EMPTY, (ops, { x }) => ops.sum(x as never, 0)),
  opCase('sum', 'keeping the axis', X, ['one', 'd'], MATRICES, (ops, { x }) =>
    ops.sum(x as never, 0, { keepDims: true }),
  ),
  opCase('max', 'over rows', X, ['n'], WITH_EMPTY, (ops, { x }) => ops.max(x as never, 1)),
  opCase('max', 'over columns', X, ['d'], MATRICES, (ops, { x }) => ops.max(x as never, 0)),
  opCase('max', 'keeping the axis', X, ['n', 'one'], MATRICES, (ops, { x }) =>
    ops.max(x as never, 1, { keepDims: true }),
  ),
  opCase('argMax', 'over rows', X, ['n'], MATRICES, (ops, { x }) => ops.argMax(x as never, 1), {
    dtype: 'int32',
  }),
  opCase('argMax', 'over columns', X, ['d'], MATRICES, (ops, { x }) => ops.argMax(x as never, 0), {
    dtype: 'int32',
  }),
  opCase(
    'argMax',
    'of ties takes the lowest index',
    X,
    ['d'],
    MATRICES,
    (ops, { x }) => ops.argMax(ops.multiply(x as never, ops.scalar(0)), 0),
    { dtype: 'int32' },
  ),
  opCase('concat', 'of rows', X, ['twice', 'd'], WITH_EMPTY, (ops, { x }) =>
    ops.concat([x as never, ops.exp(x as never)], 0),
  ),
  opCase('concat', 'of columns', X, ['n', 'thrice'], WITH_EMPTY, (ops, { x }) =>
    ops.concat([x as never, x as never, x as never], 1),
  ),
  opCase('gather', 'one row', X, ['d'], MATRICES, (ops, { x }) =>
    ops.gather(x as never, ops.argMax(ops.sum(x as never, 1), 0), 0),
  ),
  opCase('gather', 'many columns', X, ['n', 'n'], MATRICES, (ops, { x }) =>
    ops.gather(x as never, ops.argMax(x as never, 1), 1),
  ),
];
