// How many tokens a budget allows for one picture and question, and the method's choice of them, timed.

import { type Backend, type Budget, selectTokens, textCoverage, visionCoverage } from '@mmtok/core';
import { checkPicks } from '../methods/define-method.js';
import type { Method } from '../methods/method.js';
import type { ImageFeatures, TokenBudget } from './eval-model.js';

/** A choice, and how long the method took. */
export interface Choice {
  readonly indices: readonly number[];
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
   * @throws MethodError for picks that are not `tokens` different ones: a method of another make than `defineMethod` is held
   * to that as well.
   */
  async choose(method: Method, { picture, ...features }: ImageFeatures, tokens: number): Promise<Choice> {
    const started = performance.now();
    const picks = await method.select(features, { tokens, backend: this.backend, seed: this.seed + picture });
    const selectMs = performance.now() - started;
    return { indices: checkPicks(method.name, picks, features.vision.dims[0] as number, tokens), selectMs };
  }

  /** The budgets of a question's pictures, where they are known: a coverage budget must have been counted before. */
  budgets(budget: Budget, pictures: number): TokenBudget[] | undefined {
    if (!('coverage' in budget)) return Array.from({ length: pictures }, () => budget);
    const counts = Array.from({ length: pictures }, (_, picture) => this.counts.get(keyOf(budget, picture)));
    return counts.every((count) => count !== undefined) ? counts.map((tokens) => ({ tokens })) : undefined;
  }

  /**
   * Counts a coverage budget for one picture. It is as many tokens as MMTok needs to reach it, for every method alike: methods
   * are compared at the same number of tokens.
   */
  async count(budget: Budget, { picture, vision, visionFeatures, text }: ImageFeatures): Promise<void> {
    const { indices } = await selectTokens({
      backend: this.backend,
      coverage: [textCoverage(), visionCoverage()],
      vision,
      ...(visionFeatures && { visionFeatures }),
      ...(text && { text }),
      budget,
    });
    this.counts.set(keyOf(budget, picture), indices.length);
  }

  /** Notes that a picture has so few tokens that there is nothing to count. */
  countAll(budget: Budget, picture: number, visionTokens: number): void {
    const key = keyOf(budget, picture);
    if (!this.counts.has(key)) this.counts.set(key, visionTokens);
  }
}

function keyOf(budget: Budget, picture: number): string {
  return `${picture} ${JSON.stringify(budget)}`;
}
