// Deterministic, spatially smooth synthetic features, drawn exactly like those behind the official selections.

import { type Float32Tensor, float32 } from '../backend/tensor.js';
import { createRandom } from '../search/sampling.js';
import type { OfficialSelection } from './official-selections.js';

/** Shape and statistics of a map of features. */
export interface FeatureMap {
  readonly height: number;
  readonly width: number;
  /** Feature dimension. */
  readonly dim: number;
  /** Number of soft regions. */
  readonly clusters: number;
  /** Standard deviation of the independent noise per token. */
  readonly noise: number;
  /** Standard deviation of the mean that all tokens share. */
  readonly common: number;
  readonly seed: number;
}

/** Approximately Gaussian numbers from four uniform ones. */
const gaussian = (rng: () => number) => (): number => rng() + rng() + rng() + rng() - 2;

/** A feature map `[height · width, dim]` in raster order. */
export function syntheticFeatures(map: FeatureMap): Float32Tensor {
  const { height, width, dim, clusters, noise, common, seed } = map;
  const rng = createRandom(seed);
  const g = gaussian(rng);
  const mean = Array.from({ length: dim }, () => common * g());
  const centers = Array.from({ length: clusters }, () => ({
    y: rng() * height,
    x: rng() * width,
    spread: (1 + 5 * rng()) ** 2,
  }));
  const bases = centers.map(() => Array.from({ length: dim }, g));
  const data = new Float32Array(height * width * dim);
  for (let i = 0; i < height * width; i++) {
    const y = Math.floor(i / width);
    const x = i % width;
    const closeness = centers.map((c) => 1 / (1 + ((y - c.y) ** 2 + (x - c.x) ** 2) / c.spread));
    const total = closeness.reduce((sum, each) => sum + each, 0);
    for (let k = 0; k < dim; k++) {
      const region = bases.reduce(
        (sum, base, c) => sum + ((closeness[c] as number) / total) * (base[k] as number),
        0,
      );
      data[i * dim + k] = (mean[k] as number) + region + noise * g();
    }
  }
  return float32(data, [height * width, dim]);
}

/** The tensors of an official case. */
export function officialInputs(selection: OfficialSelection): {
  vision: Float32Tensor;
  visionFeatures: Float32Tensor;
  text: Float32Tensor;
} {
  const { seeds, embeddingDim, visionFeatureDim, textTokens } = selection;
  const vision = syntheticFeatures({ ...selection, dim: embeddingDim, seed: seeds.visionTokens });
  const visionFeatures = syntheticFeatures({
    ...selection,
    dim: visionFeatureDim,
    seed: seeds.visionFeatures,
  });
  return { vision, visionFeatures, text: syntheticText(vision, textTokens, seeds.text) };
}

/** `m` text rows `[m, D]`, each close to a randomly drawn vision token. */
export function syntheticText(vision: Float32Tensor, m: number, seed: number): Float32Tensor {
  const rng = createRandom(seed);
  const g = gaussian(rng);
  const [n, dim] = vision.dims as readonly [number, number];
  const text = new Float32Array(m * dim);
  for (let i = 0; i < m; i++) {
    const j = Math.floor(rng() * n);
    for (let k = 0; k < dim; k++) text[i * dim + k] = g() + 0.3 * (vision.data[j * dim + k] as number);
  }
  return float32(text, [m, dim]);
}
