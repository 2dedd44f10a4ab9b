// What the blocks of packages/core/README.md assume.
import type { Backend } from '@mmtok/core';

declare const backend: Backend;
declare const vision: number[][];
declare const visionFeatures: number[][];
declare const text: number[][];
declare const membership: number[][];
declare const attention: number[][];
