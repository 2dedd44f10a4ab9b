// How many tokens a budget allows for one picture and question, and the method's choice of them, timed.

import { type Backend, type Budget, selectTokens, textCoverage, visionCoverage } from '@mmtok/core';
import { resolveBudget } from '@mmtok/core/internal';
import { checkPicks } from '../methods/define-method.js';
import type { Selector } from '../methods/selector.js';
import type { ImageFeatures } from './eval-model.js';

/** A choice, and how long the method took. */
export interface Choice {
  readonly kept: readonly number[];
  readonly selectMs: number;
}

/** Counts tokens for one question; what a coverage budget comes to is computed once for all methods. */
export class TokenChooser {
  private readonly backend: Backend;
  private readonly seed: number;
  private readonly counts = new Map<string, number>();

  constructor(backend: Backend, seed: number) {
    this.backend = backend;
    this.seed = seed;
  }

  /**
   * Chooses tokens of one picture.
   * @param picture its number among the question's pictures.
   * @throws MethodError for picks that are not as many different tokens as the budget allows: a method of another make
   * than `defineMethod` is held to that as well.
   */
  async choose(method: Selector, budget: Budget, picture: number, features: ImageFeatures): Promise<Choice> {
    const k = await this.count(budget, picture, features);
    const started = performance.now();
    const kept = await method.select({ ...features, backend: this.backend, seed: this.seed + picture }, k);
    const selectMs = performance.now() - started;
    return { kept: checkPicks(method.name, kept, features.vision.dims[0] as number, k), selectMs };
  }

  /** Whether it is known how many tokens of each of a question's pictures a budget allows. */
  isCounted(budget: Budget, pictures: number): boolean {
    if (!('coverage' in budget)) return true;
    return Array.from({ length: pictures }, (_, picture) => keyOf(budget, picture)).every((key) =>
      this.counts.has(key),
    );
  }

  /**
   * A coverage budget is as many tokens as MMTok needs to reach it, for every method alike: methods are compared at
   * the same number of tokens.
   */
  async count(budget: Budget, picture: number, features: ImageFeatures): Promise<number> {
    const n = features.vision.dims[0] as number;
    if (!('coverage' in budget)) return Math.min(n, resolveBudget(budget, n).max);
    const key = keyOf(budget, picture);
    const known = this.counts.get(key);
    if (known !== undefined) return known;
    const { vision, visionFeatures, text } = features;
    const { indices } = await selectTokens({
      backend: this.backend,
      coverage: [textCoverage(), visionCoverage()],
      vision,
      visionFeatures,
      ...(text && { text }),
      budget,
    });
    this.counts.set(key, indices.length);
    return indices.length;
  }
}

function keyOf(budget: Budget, picture: number): string {
  return `${picture} ${JSON.stringify(budget)}`;
}
