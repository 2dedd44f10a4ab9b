// MMTok, or any objective of one's own terms, as a method of an evaluation.

import { type Backend, type ObjectiveTerm, selectTokens } from '@mmtok/core';
import type { Selector } from './selector.js';

/** Options of {@link mmtokSelector}. */
export interface MmtokSelectorOptions {
  /** Where similarities are computed. */
  readonly backend: Backend;
  /** The objective. @default `[textCoverage(), visionCoverage()]`, the paper's */
  readonly coverage?: readonly ObjectiveTerm[];
}

/**
 * Keeps the tokens that best cover the question and the image (https://arxiv.org/abs/2508.18264).
 *
 * @example
 * const visionOnly = mmtokSelector({ backend, coverage: [visionCoverage()] });
 */
export function mmtokSelector({ backend, coverage }: MmtokSelectorOptions): Selector {
  return async ({ vision, visionFeatures, text }, budget) => {
    const { indices } = await selectTokens({
      backend,
      vision,
      budget,
      ...(visionFeatures && { visionFeatures }),
      ...(text && { text }),
      ...(coverage && { coverage }),
    });
    return indices;
  };
}
