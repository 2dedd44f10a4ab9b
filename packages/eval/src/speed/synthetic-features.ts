// Features of the shapes that a model has, smooth as those of pictures are: how long a selection takes depends on both.

import { type Float32Tensor, float32 } from '@mmtok/core';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Soft regions in a map, and how far they reach in tokens. */
const REGIONS = 8;
const REACH = { least: 1, most: 6 };
/** Share of what all tokens have in common, and of what each has alone. */
const COMMON = 0.8;
const ALONE = 0.5;
/** How far a word leans towards one vision token. */
const LEAN = 0.3;

/** Numbers in [−1, 1), the same for the same seed. */
function numbers(seed: number): () => number {
  const rng = xoroshiro128plus(seed);
  return () => rng.next() / 2 ** 31;
}

/** A map of `n` vision tokens `[n, width]`: a few soft regions, a common part and noise. */
export function syntheticVision(n: number, width: number, seed: number): Float32Tensor {
  const next = numbers(seed);
  const side = Math.ceil(Math.sqrt(n));
  const row = (): Float32Array => Float32Array.from({ length: width }, next);
  const place = (): number => ((next() + 1) / 2) * side;
  const common = row();
  const regions = Array.from({ length: REGIONS }, () => ({
    y: place(),
    x: place(),
    reach: REACH.least + ((next() + 1) / 2) * (REACH.most - REACH.least),
    base: row(),
  }));
  const data = new Float32Array(n * width);
  for (let token = 0; token < n; token++) {
    const [y, x] = [Math.floor(token / side), token % side];
    const closeness = regions.map((one) => 1 / (1 + ((y - one.y) ** 2 + (x - one.x) ** 2) / one.reach ** 2));
    const total = closeness.reduce((sum, one) => sum + one, 0);
    const own = data.subarray(token * width, (token + 1) * width);
    for (let k = 0; k < width; k++) own[k] = COMMON * common[k]! + ALONE * next();
    for (const [at, { base }] of regions.entries()) {
      const share = closeness[at]! / total;
      for (let k = 0; k < width; k++) own[k]! += share * base[k]!;
    }
  }
  return float32(data, [n, width]);
}

/** `m` text tokens `[m, D]`, each leaning towards some vision token. */
export function syntheticText({ data, dims }: Float32Tensor, m: number, seed: number): Float32Tensor {
  const [n = 0, width = 0] = dims;
  const next = numbers(seed);
  const text = new Float32Array(m * width);
  for (let token = 0; token < m; token++) {
    const towards = Math.floor(((next() + 1) / 2) * n) * width;
    for (let k = 0; k < width; k++) text[token * width + k] = next() + LEAN * data[towards + k]!;
  }
  return float32(text, [m, width]);
}
