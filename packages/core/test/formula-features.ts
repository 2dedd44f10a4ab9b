// Features given by a formula, and the official pick orders on them: golden data that anyone can recompute.

import { type Float32Tensor, float32 } from '../src/backend/tensor.js';

/** F[i][c] = sin(a (i + 1)(c + 1)) + cos(b (i + 1) + c) */
function formulaFeatures(n: number, d: number, a: number, b: number): Float32Tensor {
  const data = Float32Array.from({ length: n * d }, (_, at) => {
    const [i, c] = [Math.floor(at / d), at % d];
    return Math.sin(a * (i + 1) * (c + 1)) + Math.cos(b * (i + 1) + c);
  });
  return float32(data, [n, d]);
}

/** A golden case on formula features. */
export interface FormulaCase {
  readonly n: number;
  readonly m: number;
  readonly d: number;
  readonly D: number;
  readonly excludedFirst: number;
  readonly order: readonly number[];
  /** The objective after the first and after the last pick, where known. */
  readonly values?: readonly [number, number];
}

export const formulaCases: readonly FormulaCase[] = [
  {
    ...{ n: 24, m: 3, d: 16, D: 32, excludedFirst: 0 },
    order: [1, 3, 4, 11, 21, 16, 8, 14],
    values: [0.353584842, 0.973377008],
  },
  { ...{ n: 24, m: 3, d: 16, D: 32, excludedFirst: 6 }, order: [21, 14, 9, 6, 17, 11, 23, 18] },
  {
    ...{ n: 576, m: 8, d: 64, D: 128, excludedFirst: 0 },
    order: [
      2, 491, 492, 559, 76, 560, 1, 3, 467, 181, 324, 432, 466, 251, 398, 33, 250, 396, 183, 302, 434, 39,
      346, 243, 331, 403, 258, 316, 228, 287, 271, 199,
    ],
    values: [0.125840797, 0.821869757],
  },
  {
    ...{ n: 576, m: 8, d: 64, D: 128, excludedFirst: 144 },
    order: [
      491, 492, 559, 560, 482, 467, 181, 324, 432, 466, 251, 398, 475, 250, 396, 183, 302, 434, 346, 243, 331,
      403, 316, 228, 287, 271, 390, 199, 463, 156, 358, 419,
    ],
  },
];

/** The tensors of a case. */
export function formulaInputs({ n, m, d, D }: FormulaCase): {
  vision: Float32Tensor;
  visionFeatures: Float32Tensor;
  text: Float32Tensor;
} {
  return {
    vision: formulaFeatures(n, D, 0.013, 0.71),
    visionFeatures: formulaFeatures(n, d, 0.029, 0.43),
    text: formulaFeatures(m, D, 0.017, 1.3),
  };
}
