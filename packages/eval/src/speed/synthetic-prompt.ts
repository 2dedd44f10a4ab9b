// A prompt with a model's shapes: vision tokens, features, and text. Features are smooth, as in real images, because selection
// time depends on that too.

import type { Float32Tensor } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { syntheticFeatures, syntheticText } from '@mmtok/core/testing/features';
import type { ModelDims } from './model-dims.js';

/** How many of the text tokens belong to the question, which guides the selection. */
const QUESTION_TOKENS = 12;

/** A prompt before pruning, and the token that follows it. */
export interface SyntheticPrompt {
  readonly vision: Float32Tensor;
  readonly visionFeatures: Float32Tensor;
  /** Template and question; the question's tokens come first. */
  readonly text: Float32Tensor;
  readonly question: Float32Tensor;
  readonly next: Float32Array;
}

/** Generates a prompt. */
export function syntheticPrompt(
  { visionTokens, visionWidth, hidden }: ModelDims,
  textTokens: number,
): SyntheticPrompt {
  const vision = visionMap(visionTokens, hidden, 1);
  const text = syntheticText(vision, textTokens, 2);
  const asked = Math.min(QUESTION_TOKENS, textTokens);
  return {
    vision,
    visionFeatures: visionMap(visionTokens, visionWidth, 3),
    text,
    question: { ...text, data: text.data.subarray(0, asked * hidden), dims: [asked, hidden] },
    next: text.data.slice(0, hidden),
  };
}

/** `n` tokens `[n, dim]` of a square map; the last row may be incomplete. */
function visionMap(n: number, dim: number, seed: number): Float32Tensor {
  const side = Math.ceil(Math.sqrt(n));
  const size = { height: Math.ceil(n / side), width: side, dim };
  const { data } = syntheticFeatures({ ...size, clusters: 8, noise: 0.5, common: 0.8, seed });
  return float32(data.subarray(0, n * dim), [n, dim]);
}
