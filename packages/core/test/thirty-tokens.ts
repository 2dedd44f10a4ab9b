// A map of 5 × 6 vision tokens with a question about it, and a backend that must not be called.

import type { Backend } from '../src/backend/backend.js';
import type { Float32Tensor } from '../src/backend/tensor.js';
import { syntheticFeatures, syntheticText } from '../src/testing/synthetic-features.js';
import { backend } from './table-case.js';

export const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, j) => from + j);

/** Features of a map of tokens. */
export function map(height: number, width: number, dim: number, seed: number): Float32Tensor {
  return syntheticFeatures({ height, width, dim, clusters: 3, noise: 0.5, common: 0.7, seed });
}

export const vision: Float32Tensor = map(5, 6, 12, 1);
export const visionFeatures: Float32Tensor = map(5, 6, 8, 2);
export const text: Float32Tensor = syntheticText(vision, 3, 3);
export const base = { backend, vision, visionFeatures, text };

/** Fails on every program. */
export const refusing: Backend = {
  name: 'refusing',
  device: 'none',
  precision: 0,
  run: () => Promise.reject(new Error('the backend was used')),
  dispose: () => Promise.resolve(),
};
