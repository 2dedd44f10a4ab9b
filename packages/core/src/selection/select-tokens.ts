// The main entry: vision tokens in, the tokens to keep out.

import { parseSelectOptions, type SelectOptions } from './options.js';
import { PreparedTensors } from './prepare-image.js';
import type { Selection } from './selection.js';

/**
 * Keeps the vision tokens that together best cover the question's text tokens and the image itself
 * (MMTok, https://arxiv.org/abs/2508.18264): similarity, calibrated coverage, greedy maximization.
 *
 * To ask several questions about one image, use `prepareImage`, which computes the image's part once.
 *
 * @throws InvalidTensorError for tensors that are not matrices of finite numbers or do not fit together.
 * @throws InvalidBudgetError for budgets and constraints that nothing can satisfy.
 * @throws InvalidOptionsError for options of the wrong form.
 * @throws MatrixTooLargeError for more vision tokens than the exact path can hold.
 *
 * @example
 * const { indices, coverage } = await selectTokens({
 *   backend: createReferenceBackend(),
 *   vision, // [576, 4096] projected vision tokens
 *   visionFeatures, // [576, 1024] before the projector
 *   text, // [12, 4096] input embeddings of the question
 *   budget: { tokens: 64 },
 * });
 */
export async function selectTokens(options: SelectOptions): Promise<Selection> {
  const { text, budget, constraints, maximizer, ...image } = parseSelectOptions(options);
  const prepared = new PreparedTensors(image);
  try {
    return await prepared.select({ text, budget, constraints, maximizer });
  } finally {
    prepared.dispose();
  }
}
