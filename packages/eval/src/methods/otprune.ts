// OTPrune: tokens whose distribution stays close to that of all tokens, by a log-determinant.

import type { Float32Tensor } from '@mmtok/core';
import { defineProgram } from '@mmtok/core/backend';
import { descending, greedyDeterminant } from './greedy.js';
import type { Method } from './method.js';
import { defineMethod } from './method.js';

/** The official factor on G Gᵀ. */
const SCALE = 0.01;

/** G Gᵀ of G = V Vᵀ, with every dimension of V scaled to unit length over the tokens. */
const squaredGram = defineProgram({
  name: 'squaredGram',
  inputs: { vision: { dims: ['n', 'd'] } },
  outputs: { squared: { dims: ['n', 'n'] } },
  build: (ops, { vision }) => {
    const columns = ops.transpose(vision);
    const norms = ops.maximum(ops.rowNorms(columns), ops.scalar(1e-8));
    const rows = ops.transpose(ops.divide(columns, norms));
    const gram = ops.matMul(rows, rows, { transposeB: true });
    return { squared: ops.matMul(gram, gram, { transposeB: true }) };
  },
});

/** CVPR 2026: greedy log-determinant of I + 0.01 G Gᵀ over the projected tokens. */
export const otprune: Method = defineMethod({
  name: 'otprune',
  title: 'OTPrune',
  source: 'https://github.com/xiwenc1/OTPrune',
  async select({ vision }, { tokens: k, backend }) {
    const { squared } = await backend.run(squaredGram, { vision });
    const { data } = squared as Float32Tensor;
    const n = vision.dims[0] as number;
    const at = (i: number, j: number): number => SCALE * data[i * n + j]! + (i === j ? 1 : 0);
    return greedyDeterminant({ size: n, at }, k, descending(new Float64Array(n)));
  },
});
