// A decoder layer that mixes tokens by a short convolution only (LFM2). Its cache has a fixed length.
import { HIDDEN } from '../dimensions.js';
import { add, feedForward, layerNorm, linear } from '../graph/operators.js';
import { causalConvolution } from './causal-convolution.js';
import type { Layer } from './layer.js';

export const convolutionLayer: Layer = (g, x, index, { present }) => {
  const name = `/layers.${index}`;
  const entering = linear(g, layerNorm(g, x, `${name}/conv/norm`, HIDDEN), `${name}/conv/in_proj`, [
    HIDDEN,
    HIDDEN,
  ]);
  const mixed = causalConvolution(g, entering, index, `${name}/conv/conv`, present);
  const leaving = linear(g, mixed, `${name}/conv/out_proj`, [HIDDEN, HIDDEN]);
  return feedForward(g, add(g, x, leaving), `${name}/mlp`, HIDDEN);
};
