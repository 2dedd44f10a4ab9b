// The objective during a selection: matrices of affinities in memory that the evaluator of gains (wasm/gain.wat) reads, gains of
// candidates, and committing one.

const FLOAT_BYTES = 4;
const PAGE_BYTES = 65536;
const MAX_KEPT_BYTES = 64 * 2 ** 20;

/** `affinity` and `best` are byte addresses in the instance's memory: see wasm/gain.wat. */
type GainFunction = (affinity: number, best: number, count: number) => number;
type CoverFunction = (affinity: number, best: number, count: number) => void;

/** Exports of wasm/gain.wat. */
interface GreedyLoops {
  readonly gain: GainFunction;
  readonly cover: CoverFunction;
}

/** The part of the WebAssembly API used here, which neither ECMAScript's nor Node 20's types declare. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (limits: { readonly initial: number }) => WasmMemory;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: GreedyLoops };
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Memory with an instance of the evaluator. */
interface Slab extends GreedyLoops {
  readonly memory: WasmMemory;
}

/** The bytes of wasm/gain.wat in base64, written by scripts/build-wasm.mjs. */
export const GAIN_MODULE: string =
  'AGFzbQEAAAABDgJgA39/fwF9YAN/f38AAg8BA2VudgZtZW1vcnkCAAADAwIAAQcQAgRnYWluAAAFY292ZXIAAQrfAgLVAQMBfwN7' +
  'An0gACACQXhxQQJ0aiEDAkADQCAAIANPDQEgBCAGIAD9AAQAIAH9AAQA/eUB/esB/eQBIQQgBSAGIAD9AAQQIAH9AAQQ/eUB/esB' +
  '/eQBIQUgAEEgaiEAIAFBIGohAQwACwsgBCAF/eQBIQQgBP0fACAE/R8BkiAE/R8CIAT9HwOSkiEHIAAgAkEHcUECdGohAwJAA0Ag' +
  'ACADTw0BIAAqAgAgASoCAJMhCCAIQwAAAABeBEAgByAIkiEHCyAAQQRqIQAgAUEEaiEBDAALCyAHC4UBAQF/IAAgAkF8cUECdGoh' +
  'AwJAA0AgACADTw0BIAEgAf0ABAAgAP0ABAD96wH9CwQAIABBEGohACABQRBqIQEMAAsLIAAgAkEDcUECdGohAwJAA0AgACADTw0B' +
  'IAAqAgAgASoCAF4EQCABIAAqAgA4AgALIABBBGohACABQQRqIQEMAAsLCw==';

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyApi };
let module: object | false | undefined;

/** The evaluator's code, compiled once; false if WebAssembly (with SIMD) is missing or forbidden. */
function compiledModule(): object | false {
  if (module !== undefined) return module;
  try {
    if (WebAssembly === undefined) return false;
    module = new WebAssembly.Module(Uint8Array.from(atob(GAIN_MODULE), (char) => char.charCodeAt(0)));
  } catch {
    module = false; // No SIMD, or a content security policy against WebAssembly.
  }
  return module;
}

/**
 * Memory for matrices, reused so that a selection need not zero its pages again. Keeps up to 64 MiB of unused memory as long as
 * this object is referenced.
 */
export class MatrixMemory {
  private readonly free: Slab[] = [];

  /**
   * A slab of at least `bytes`, or undefined if WebAssembly or that much memory is unavailable: a WebAssembly memory is limited to
   * 4 GiB, and reserves even more address space.
   */
  acquire(bytes: number): Slab | undefined {
    const code = compiledModule();
    if (code === false || WebAssembly === undefined) return undefined;
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
    // Best fit; if none fits, the largest grows.
    this.free.sort((a, b) => a.memory.buffer.byteLength - b.memory.buffer.byteLength);
    const fitting = this.free.findIndex((slab) => slab.memory.buffer.byteLength >= bytes);
    const [slab] = this.free.splice(fitting < 0 ? this.free.length - 1 : fitting, 1);
    try {
      if (slab !== undefined) {
        const missing = pages - slab.memory.buffer.byteLength / PAGE_BYTES;
        if (missing > 0) slab.memory.grow(missing);
        return slab;
      }
      const memory = new WebAssembly.Memory({ initial: pages });
      const { exports } = new WebAssembly.Instance(code, { env: { memory } });
      return { memory, gain: exports.gain, cover: exports.cover };
    } catch {
      if (slab !== undefined) this.free.push(slab);
      return undefined;
    }
  }

  /** Returns a slab. */
  release(slab: Slab): void {
    if (this.keptBytes + slab.memory.buffer.byteLength <= MAX_KEPT_BYTES) this.free.push(slab);
  }

  /** Unused bytes. */
  get keptBytes(): number {
    return this.free.reduce((total, { memory }) => total + memory.buffer.byteLength, 0);
  }
}

/**
 * The affinities of `candidates` × `targets`, already multiplied by target weights. The memory is allocated first, and a backend
 * writes directly into {@link affinity}.
 */
export class CoverageMatrix {
  readonly candidates: number;
  readonly targets: number;
  /** `[candidates, targets]` row-major: row j holds how well candidate j covers each target. */
  readonly affinity: Float32Array;
  /** `[targets]`: the current coverage of each target. */
  readonly best: Float32Array;
  private readonly memory: MatrixMemory;
  private slab: Slab | undefined;

  /** @param memory the pool that its memory comes from and returns to. */
  constructor(candidates: number, targets: number, memory: MatrixMemory = new MatrixMemory()) {
    this.candidates = candidates;
    this.targets = targets;
    const floats = (candidates + 1) * targets;
    this.memory = memory;
    this.slab = memory.acquire(floats * FLOAT_BYTES);
    const buffer = this.slab?.memory.buffer ?? new ArrayBuffer(floats * FLOAT_BYTES);
    const view = (row: number, rows: number): Float32Array =>
      new Float32Array(buffer, row * targets * FLOAT_BYTES, rows * targets);
    this.best = view(0, 1);
    this.affinity = view(1, candidates);
  }

  /** Resets all coverage to 0. */
  reset(): void {
    this.best.fill(0);
  }

  /** Σ_i max(0, affinity_ji − best_i): what candidate `j` would add now. */
  gain(j: number): number {
    const { targets, slab } = this;
    return slab === undefined
      ? rowGain(this.affinity, j * targets, this.best)
      : slab.gain((1 + j) * targets * FLOAT_BYTES, 0, targets);
  }

  /** Adds candidate `j`: best_i becomes max(best_i, affinity_ji). */
  cover(j: number): void {
    const { affinity, best, targets, slab } = this;
    if (slab !== undefined) {
      slab.cover((1 + j) * targets * FLOAT_BYTES, 0, targets);
      return;
    }
    const start = j * targets;
    for (let i = 0; i < best.length; i++) {
      const value = affinity[start + i] as number;
      if (value > (best[i] as number)) best[i] = value;
    }
  }

  /** Returns the memory to the pool; the matrix must not be used afterwards. */
  release(): void {
    if (this.slab !== undefined) this.memory.release(this.slab);
    this.slab = undefined;
  }
}

/** wasm/gain.wat in JavaScript, bit for bit: eight running sums in single precision, folded in the same order. */
export function rowGain(affinity: Float32Array, start: number, best: Float32Array): number {
  const { fround } = Math;
  const lanes = new Float32Array(8);
  const count = best.length;
  const eights = count - (count % 8);
  const added = (i: number): number => {
    const more = fround((affinity[start + i] as number) - (best[i] as number));
    return Math.max(more, 0);
  };
  for (let i = 0; i < eights; i++) lanes[i % 8] = (lanes[i % 8] as number) + added(i);
  const folded = [0, 1, 2, 3].map((lane) => fround((lanes[lane] as number) + (lanes[lane + 4] as number)));
  const [a, b, c, d] = folded as [number, number, number, number];
  let sum = fround(fround(a + b) + fround(c + d));
  for (let i = eights; i < count; i++) sum = fround(sum + added(i));
  return sum;
}

/**
 * A monotone submodular set function as seen by a maximizer: what a candidate would add now, and adding it. Gains never grow as
 * candidates are committed, also in floating point (each is summed in one fixed order), so an earlier gain is a valid upper bound
 * later.
 */
export interface Objective {
  /** Number of candidates, which are 0 … candidates − 1. */
  readonly candidates: number;
  /** What candidate `j` would add to the value now. */
  gain(j: number): number;
  /** Upper bounds of all gains before anything is committed, cheaper than the gains themselves; a new array. */
  initialBounds(): Float64Array;
  /** Adds candidate `j`. */
  commit(j: number): Commitment;
}

/** What a committed candidate added. */
export interface Commitment {
  /** To the objective. */
  readonly gain: number;
  /** To each coverage term, before the term's weight. */
  readonly byTerm: readonly number[];
}

/** One coverage term, ready for evaluation. */
export interface CoverageBlock {
  /** The term's weight. */
  readonly weight: number;
  readonly matrix: CoverageMatrix;
  /** `[n]`: the sum of each candidate's affinities, as the backend summed it. */
  readonly firstGains: Float32Array;
  /** The backend's stated relative precision, which bounds the errors of its sums. */
  readonly precision: number;
}

/** A bonus per candidate. */
export interface BonusBlock {
  /** Names the term in errors. */
  readonly name: string;
  readonly weight: number;
  /** `[n]` */
  readonly bonus: Float32Array;
}

// A float32 sum of t non-negative numbers has a relative error below t · 2⁻²⁴ in any order, and so does the evaluator's own sum.
// The constant leaves room for both. Engines that compute in less than single precision (float16) say so in their precision.
const boundMargin = (targets: number, precision: number): number =>
  1 + Math.max((targets + 16) * 2 ** -22, 4 * precision);
// This holds for normal float32 numbers. Some engines flush smaller ones to 0, and the evaluator does not.
const UNDERFLOW = 2 ** -125;

/**
 * The weighted sum of coverage terms and bonuses: Σ_t weight_t Σ_i max_{j∈S} affinity_ji + Σ_b weight_b Σ_{j∈S} bonus_j.
 * It keeps what is covered in the matrices, so only one objective can use them at a time.
 */
export class WeightedObjective implements Objective {
  readonly candidates: number;
  private readonly blocks: readonly CoverageBlock[];
  private readonly bonuses: readonly BonusBlock[];

  constructor(candidates: number, blocks: readonly CoverageBlock[], bonuses: readonly BonusBlock[]) {
    this.candidates = candidates;
    this.blocks = blocks;
    this.bonuses = bonuses;
    for (const { matrix } of blocks) matrix.reset();
  }

  gain(j: number): number {
    let sum = 0;
    for (const { weight, matrix } of this.blocks) sum += weight * matrix.gain(j);
    return this.withBonuses(sum, j);
  }

  initialBounds(): Float64Array {
    const bounds = new Float64Array(this.candidates);
    for (const { weight, matrix, firstGains, precision } of this.blocks) {
      const factor = weight * boundMargin(matrix.targets, precision);
      const underflow = weight * matrix.targets * UNDERFLOW;
      for (let j = 0; j < bounds.length; j++)
        bounds[j] = (bounds[j] as number) + factor * (firstGains[j] as number) + underflow;
    }
    for (const { weight, bonus } of this.bonuses) {
      for (let j = 0; j < bounds.length; j++) {
        bounds[j] = ((bounds[j] as number) + weight * (bonus[j] as number)) * (1 + 2 ** -50);
      }
    }
    return bounds;
  }

  commit(j: number): Commitment {
    let sum = 0;
    const byTerm = this.blocks.map(({ weight, matrix }) => {
      const added = matrix.gain(j);
      matrix.cover(j);
      sum += weight * added;
      return added;
    });
    return { gain: this.withBonuses(sum, j), byTerm };
  }

  private withBonuses(covered: number, j: number): number {
    let sum = covered;
    for (const { weight, bonus } of this.bonuses) sum += weight * (bonus[j] as number);
    return sum;
  }
}
