// The gain evaluator: WebAssembly and JavaScript give identical bits, and the embedded bytes are those of the source.
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import wabt from 'wabt';
import { CoverageMatrix, GAIN_MODULE, MatrixMemory, rowGain } from './objective.js';

const value = fc.oneof(
  fc.constant(0),
  fc.constant(0.5),
  fc.float({ min: 0, max: 1, noNaN: true }),
  fc.float({ min: 0, max: Math.fround(1e-30), noNaN: true }),
);

function filled(candidates: number, targets: number, draw: () => number): CoverageMatrix {
  const matrix = new CoverageMatrix(candidates, targets);
  for (let i = 0; i < matrix.affinity.length; i++) matrix.affinity[i] = draw();
  matrix.reset();
  return matrix;
}

describe('CoverageMatrix', () => {
  it('evaluates in WebAssembly to the same bits as in JavaScript, for any length', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 0, max: 70 })
          .chain((targets) =>
            fc.tuple(
              fc.constant(targets),
              fc.array(value, { minLength: 4 * targets, maxLength: 4 * targets }),
            ),
          ),
        ([targets, affinity]) => {
          const matrix = new CoverageMatrix(4, targets);
          matrix.affinity.set(affinity);
          matrix.reset();
          const best = new Float32Array(targets);
          for (const covered of [undefined, 2, 0]) {
            if (covered !== undefined) {
              matrix.cover(covered);
              best.forEach((old, i) => {
                best[i] = Math.max(old, matrix.affinity[covered * targets + i] as number);
              });
            }
            for (let j = 0; j < 4; j++) {
              expect(matrix.gain(j)).toBe(rowGain(matrix.affinity, j * targets, best));
            }
          }
          matrix.release();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives fresh results in memory that another matrix used before', () => {
    filled(50, 90, () => 0.7).release();
    const matrix = filled(3, 5, () => 0.5);
    expect(matrix.gain(1)).toBe(2.5);
    matrix.release();
    const larger = filled(400, 200, () => 1);
    expect(larger.gain(399)).toBe(200);
    larger.release();
  });

  it('does not mix up two matrices', () => {
    const a = filled(2, 3, () => 1);
    const b = filled(2, 3, () => 2);
    a.cover(0);
    expect([a.gain(1), b.gain(1)]).toEqual([0, 6]);
    a.release();
    b.release();
  });
});

describe('without WebAssembly', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it('computes the same in plain JavaScript', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    vi.resetModules();
    const plain = await import('./objective.js');
    let seed = 1;
    const draw = (): number => {
      seed = (seed * 16807) % 2147483647;
      return seed / 2147483647;
    };
    const slow = new plain.CoverageMatrix(5, 37);
    slow.affinity.set(Array.from({ length: 185 }, draw));
    const fast = new CoverageMatrix(5, 37);
    fast.affinity.set(slow.affinity);
    for (const matrix of [slow, fast]) {
      matrix.reset();
      matrix.cover(3);
    }
    expect(slow.best).toEqual(fast.best);
    for (let j = 0; j < 5; j++) expect(slow.gain(j)).toBe(fast.gain(j));
  });
});

describe('if WebAssembly memory is unavailable', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it.each(['Memory', 'grow'])('(%s fails) plain JavaScript computes', async (failing) => {
    const reject = (): never => {
      throw new RangeError('could not allocate memory');
    };
    const { WebAssembly: real } = globalThis as unknown as {
      WebAssembly: { Memory: new (limits: object) => object };
    };
    class Memory extends real.Memory {
      grow = reject;
    }
    vi.stubGlobal('WebAssembly', {
      ...real,
      ...Object.fromEntries(['Module', 'Instance'].map((name) => [name, real[name as never]])),
      Memory,
    });
    vi.resetModules();
    const { CoverageMatrix: Fresh, MatrixMemory: FreshMemory } = await import('./objective.js');
    const memory = new FreshMemory();
    // One slab is acquired and released; the next matrix needs more.
    new Fresh(2, 3, memory).release();
    if (failing === 'Memory') vi.stubGlobal('WebAssembly', { Memory: reject });
    const matrix = new Fresh(200, 300, memory);
    matrix.affinity.fill(0.5);
    matrix.reset();
    expect(matrix.gain(199)).toBe(150);
    matrix.release();
    // The small slab is still available.
    const small = new Fresh(2, 3, memory);
    small.affinity.fill(1);
    small.reset();
    expect(small.gain(1)).toBe(3);
  });
});

describe('MatrixMemory', () => {
  it('reuses released memory for the next matrix, and keeps at most 64 MiB', () => {
    const memory = new MatrixMemory();
    const first = new CoverageMatrix(1000, 1000, memory);
    const { buffer } = first.affinity;
    expect(memory.keptBytes).toBe(0);
    first.release();
    expect(memory.keptBytes).toBe(buffer.byteLength);
    const next = new CoverageMatrix(900, 1000, memory);
    expect(next.affinity.buffer).toBe(buffer);
    next.release();
    next.release();
    expect(memory.keptBytes).toBe(buffer.byteLength);
    const many = Array.from({ length: 20 }, () => new CoverageMatrix(1000, 1000, memory));
    for (const matrix of many) matrix.release();
    expect(memory.keptBytes).toBeGreaterThan(0);
    expect(memory.keptBytes).toBeLessThanOrEqual(64 * 2 ** 20);
    new CoverageMatrix(5000, 4000, memory).release();
    expect(memory.keptBytes).toBeLessThanOrEqual(64 * 2 ** 20);
  });
});

describe('GAIN_MODULE', () => {
  it('is what wasm/gain.wat assembles to', async () => {
    const source = await readFile(new URL('../../wasm/gain.wat', import.meta.url), 'utf8');
    const parsed = (await wabt()).parseWat('gain.wat', source, { simd: true });
    expect(Buffer.from(parsed.toBinary({}).buffer).toString('base64')).toBe(GAIN_MODULE);
  });
});
