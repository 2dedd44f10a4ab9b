// x · xᵀ from blocks of every size, including empty ones and a shorter last one.

import { defineProgram, float32 } from '@mmtok/core/backend';
import { createRandom } from '@mmtok/core/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrtBackend } from './index.js';

let backend: Awaited<ReturnType<typeof createOrtBackend>>;
beforeAll(async () => {
  backend = await createOrtBackend();
});
afterAll(() => backend.dispose());

const product = defineProgram({
  name: 'gram',
  inputs: { x: { dims: ['n', 'd'] } },
  outputs: { xx: { dims: ['n', 'n'] } },
  build: (ops, { x }) => ({ xx: ops.matMul(x, x, { transposeB: true }) }),
});

describe('the product of a matrix with its own transpose', () => {
  it.each([0, 1, 383, 384, 385, 386, 1151, 1152, 1153, 1300])('%d rows', async (n) => {
    const rng = createRandom(n);
    const x = Float32Array.from({ length: 2 * n }, rng);
    const { data } = (await backend.run(product, { x: float32(x, [n, 2]) })).xx;
    expect(data).toHaveLength(n * n);
    let farthest = 0;
    let asymmetric = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const [a = 0, b = 0, c = 0, d = 0] = [x[2 * i], x[2 * i + 1], x[2 * j], x[2 * j + 1]];
        farthest = Math.max(farthest, Math.abs((data[i * n + j] as number) - (a * c + b * d)));
        if (data[i * n + j] !== data[j * n + i]) asymmetric++;
      }
    }
    expect(farthest).toBeLessThan(1e-6);
    expect(asymmetric).toBe(0);
  });
});
