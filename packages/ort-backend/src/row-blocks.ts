// Tensors that exist as blocks of rows. Element-wise operations and reductions of rows run block by block, and a block fits in a core's
// cache. The blocks are joined only where the whole tensor is needed.

import type { RecordNode, SymbolicTensor } from './symbolic-tensor.js';

/**
 * What is known of a tensor's shape: `[]`; one row, `[1, m]`; or one column, `[n, 1]`. A scalar or a row combines with every block of
 * rows in the same way.
 */
export type ShapeKind = 'scalar' | 'row' | 'column';

/** A block of rows of an input, as an input of its own. */
export const blockName = (input: string, block: number): string => `${block} of ${input}`;

/** An operation that is recorded when its result is needed as a whole. */
interface Deferred {
  readonly opType: string;
  /** An input. */
  readonly a: SymbolicTensor;
  /** One column. */
  readonly b: SymbolicTensor;
}

/** To the end, as the end of a slice. */
const END = 2 ** 31 - 1;

/** Records operations on tensors that may exist as blocks of rows. */
export class RowBlocks {
  private readonly node: RecordNode;
  private readonly fresh: () => SymbolicTensor;
  private readonly kinds: Map<string, ShapeKind>;
  private readonly blocks = new Map<string, readonly SymbolicTensor[]>();
  private readonly viewable: ReadonlySet<string>;
  private readonly deferred = new Map<string, Deferred>();
  /** Names of the inputs that are read block by block. */
  readonly viewed: Set<string> = new Set();
  /** Names of tensors not yet joined. */
  private readonly pending = new Set<string>();

  /**
   * @param node records a node, after {@link join} of its inputs.
   * @param fresh a tensor with a new name.
   * @param kinds what is known of the inputs' shapes, by name.
   * @param viewable names of inputs whose blocks of rows can be inputs, too.
   */
  constructor(
    node: RecordNode,
    fresh: () => SymbolicTensor,
    kinds: Iterable<readonly [string, ShapeKind]>,
    viewable: ReadonlySet<string> = new Set(),
  ) {
    this.node = node;
    this.fresh = fresh;
    this.kinds = new Map(kinds);
    this.viewable = viewable;
  }

  /** The tensor `[n, m]` that consists of these blocks. */
  add(blocks: readonly SymbolicTensor[]): SymbolicTensor {
    const whole = this.fresh();
    this.blocks.set(whole.name, blocks);
    this.pending.add(whole.name);
    return whole;
  }

  /** Records the tensor as a whole, unless that has been done. */
  join({ name }: SymbolicTensor): void {
    if (!this.pending.delete(name)) return;
    const deferred = this.deferred.get(name);
    if (deferred !== undefined) {
      this.node(deferred.opType, [deferred.a, deferred.b], {}, name);
      return;
    }
    this.node('Concat', this.blocks.get(name) as readonly SymbolicTensor[], { axis: { int: 0 } }, name);
  }

  /**
   * The rows of `x` in blocks of equal length; the last is shorter, or empty. Blocks of an input that was scaled row by row are
   * scaled separately: they are inputs, so nothing is copied.
   * @param indexList a constant of int64, shape `[1]`.
   */
  split(
    x: SymbolicTensor,
    count: number,
    indexList: (value: number) => SymbolicTensor,
  ): readonly SymbolicTensor[] {
    const deferred = this.pending.has(x.name) ? this.deferred.get(x.name) : undefined;
    const { a, b } = deferred ?? { a: x, b: x };
    const rows = this.node('Gather', [this.node('Shape', [a]), indexList(0)], { axis: { int: 0 } });
    const size = this.node('Div', [this.node('Add', [rows, indexList(count - 1)]), indexList(count)]);
    const starts = Array.from({ length: count }, (_, i) => this.node('Mul', [size, indexList(i)]));
    if (deferred !== undefined) this.viewed.add(a.name);
    return starts.map((start, i) => {
      const part = this.node('Slice', [b, start, starts[i + 1] ?? indexList(END), indexList(0)]);
      return deferred === undefined
        ? part
        : this.node(deferred.opType, [{ name: blockName(a.name, i) }, part]);
    });
  }

  /** What is known of a tensor's shape. */
  kindOf({ name }: SymbolicTensor): ShapeKind | undefined {
    return this.kinds.get(name);
  }

  /** The same tensor, with what is known of its shape. */
  withKind(tensor: SymbolicTensor, kind: ShapeKind | undefined): SymbolicTensor {
    if (kind !== undefined) this.kinds.set(tensor.name, kind);
    return tensor;
  }

  /** An element-wise operation. */
  unary(opType: string, x: SymbolicTensor): SymbolicTensor {
    const blocks = this.blocks.get(x.name);
    if (blocks !== undefined) return this.add(blocks.map((block) => this.node(opType, [block])));
    return this.withKind(this.node(opType, [x]), this.kindOf(x));
  }

  /** An element-wise operation with broadcasting. */
  binary(opType: string, a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor {
    const [ofA, ofB] = [this.blocks.get(a.name), this.blocks.get(b.name)];
    if (ofA !== undefined && this.isSameForAllRows(b)) {
      return this.add(ofA.map((block) => this.node(opType, [block, b])));
    }
    if (ofB !== undefined && this.isSameForAllRows(a)) {
      return this.add(ofB.map((block) => this.node(opType, [a, block])));
    }
    if (this.viewable.has(a.name) && this.kindOf(b) === 'column') {
      const whole = this.fresh();
      this.deferred.set(whole.name, { opType, a, b });
      this.pending.add(whole.name);
      return whole;
    }
    return this.withKind(this.node(opType, [a, b]), broadcastKind(this.kindOf(a), this.kindOf(b)));
  }

  /** A sum or maximum over an axis: `reduce` of the whole tensor, or of each block if the axis is that of the columns. */
  reduction(
    x: SymbolicTensor,
    axis: number,
    keepDims: boolean,
    reduce: (part: SymbolicTensor) => SymbolicTensor,
  ): SymbolicTensor {
    const blocks = axis === 1 ? this.blocks.get(x.name) : undefined;
    const result =
      blocks === undefined ? reduce(x) : this.node('Concat', blocks.map(reduce), { axis: { int: 0 } });
    return this.withKind(result, keepDims ? (axis === 1 ? 'column' : 'row') : undefined);
  }

  /**
   * Records the body of a loop. Tensors from around it are joined before it, because the body would join them in every step. Blocks made
   * in the body do not exist outside.
   */
  inBody<R>(record: () => R): R {
    for (const name of [...this.pending]) this.join({ name });
    const result = record();
    for (const name of this.pending) {
      this.blocks.delete(name);
      this.deferred.delete(name);
    }
    this.pending.clear();
    return result;
  }

  private isSameForAllRows(x: SymbolicTensor): boolean {
    const kind = this.kindOf(x);
    return kind === 'scalar' || kind === 'row';
  }
}

/** The shape of the result of an element-wise operation. */
function broadcastKind(a: ShapeKind | undefined, b: ShapeKind | undefined): ShapeKind | undefined {
  if (a === 'scalar') return b;
  return b === 'scalar' || a === b ? a : undefined;
}

/** The shape of a transposed matrix. */
export function transposedKind(kind: ShapeKind | undefined): ShapeKind | undefined {
  if (kind === 'row') return 'column';
  return kind === 'column' ? 'row' : undefined;
}
