// IVC-Prune's positions combined with MMTok: always keeps tokens whose rotary positions serve as coordinates.

import { selectTokens, textCoverage, visionCoverage } from '@mmtok/core';
import { descending } from './greedy.js';
import { defineMethod, type Method, type TokenPositions } from './method.js';

/** Share of tokens kept for the highest mean cosine, and the same share for the highest mean sine, as published for LLaVA. */
const SHARE = 0.05;
/** Each of the two takes at most this share of the budget, which leaves half of a small one to MMTok. */
const MOST = 0.25;

/**
 * Keeps the positions of IVC-Prune's first half. MMTok replaces its second half, which reads values inside the language model.
 * Useful only if kept tokens keep their positions.
 */
export const mmtokIvc: Method = defineMethod({
  name: 'mmtok-ivc',
  title: 'MMTok + IVC positions',
  source: 'https://github.com/FireRedTeam/IVC-Prune',
  needs: ['positions'],
  async select({ vision, visionFeatures, text, positions }, { tokens, backend }) {
    const { order } = await selectTokens({
      backend,
      coverage: [textCoverage(), visionCoverage()],
      vision,
      visionFeatures,
      ...(text && { text }),
      budget: { tokens },
      constraints: { include: coordinates(positions as TokenPositions, tokens) },
    });
    return order;
  },
});

/** The tokens whose positions have the highest mean cosine, and the highest mean sine, over axes and frequencies. */
function coordinates({ ids, frequencies }: TokenPositions, budget: number): number[] {
  const n = ids[0]?.length ?? 0;
  const count = Math.min(Math.round(SHARE * n), Math.floor(MOST * budget));
  const meanOf = (wave: (angle: number) => number): Float64Array =>
    Float64Array.from({ length: n }, (_, token) => {
      let total = 0;
      for (const axis of ids) {
        for (let f = 0; f < frequencies.length; f++) total += wave(axis[token]! * frequencies[f]!);
      }
      return total / (ids.length * frequencies.length);
    });
  return [...new Set([Math.cos, Math.sin].flatMap((wave) => descending(meanOf(wave)).slice(0, count)))];
}
