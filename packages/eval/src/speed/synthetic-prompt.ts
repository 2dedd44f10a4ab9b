// A prompt of the shapes that a model has: vision tokens, features, and the text beside them.

import type { Float32Tensor } from '@mmtok/core';
import type { ModelDims } from './model-dims.js';
import { syntheticText, syntheticVision } from './synthetic-features.js';

/** How many of the text tokens are the question's, which guides the selection. */
const QUESTION_TOKENS = 12;

/** A prompt before pruning, and the token that follows it. */
export interface SyntheticPrompt {
  readonly vision: Float32Tensor;
  readonly visionFeatures: Float32Tensor;
  /** Template and question; the question's tokens are the first. */
  readonly text: Float32Tensor;
  readonly question: Float32Tensor;
  readonly next: Float32Array;
}

/** Draws a prompt. */
export function syntheticPrompt(
  { visionTokens, visionWidth, hidden }: ModelDims,
  textTokens: number,
): SyntheticPrompt {
  const vision = syntheticVision(visionTokens, hidden, 1);
  const text = syntheticText(vision, textTokens, 2);
  const asked = Math.min(QUESTION_TOKENS, textTokens);
  return {
    vision,
    visionFeatures: syntheticVision(visionTokens, visionWidth, 3),
    text,
    question: { ...text, data: text.data.subarray(0, asked * hidden), dims: [asked, hidden] },
    next: text.data.slice(0, hidden),
  };
}
