// MMTok, its parts alone, any objective of your own terms, any method preceded by an agent, and MMTok with the positions of
// IVC-Prune.

import { type ObjectiveTerm, selectTokens, textCoverage, visionCoverage } from '@mmtok/core';
import { descending } from './greedy.js';
import { type AgentRole, defineMethod, type Method, type MethodNeed, type TokenPositions } from './method.js';

const SOURCE = 'https://arxiv.org/abs/2508.18264';

/** What {@link coverageMethod} takes. */
export interface CoverageMethodOptions {
  readonly name: string;
  readonly title?: string;
  readonly source?: string;
  readonly needs?: readonly MethodNeed[];
  /** The objective. A term named `'saliency'` gets the input's saliency. */
  readonly coverage: readonly ObjectiveTerm[];
}

/**
 * A method that maximizes coverage terms greedily.
 *
 * @example
 * const mine = coverageMethod({ name: 'mine', coverage: [textCoverage({ peakedness: 4 }), visionCoverage()] });
 * @throws InvalidOptionsError for a name that is not kebab-case.
 */
export function coverageMethod(options: CoverageMethodOptions): Method {
  const { coverage, source = SOURCE, ...rest } = options;
  const readsSaliency = coverage.some((term) => term.kind === 'bonus' && term.input === 'saliency');
  return defineMethod({
    source,
    ...rest,
    async select({ vision, visionFeatures, text, saliency }, { tokens, backend }) {
      const { order } = await selectTokens({
        backend,
        coverage,
        vision,
        visionFeatures,
        ...(text && { text }),
        ...(readsSaliency && saliency && { inputs: { saliency: [saliency] } }),
        budget: { tokens },
      });
      return order;
    },
  });
}

/** MMTok as published: text and vision coverage (τ 0.02 and 0.2, α 0.5). */
export const mmtok: Method = coverageMethod({
  name: 'mmtok',
  title: 'MMTok',
  coverage: [textCoverage(), visionCoverage()],
});

/** MMTok with each text token weighted by (1 − normalized entropy)⁴ of its affinities. Not part of the paper. */
export const mmtokPeaked: Method = coverageMethod({
  name: 'mmtok-peaked',
  title: 'MMTok, peaked words',
  coverage: [textCoverage({ peakedness: 4 }), visionCoverage()],
});

/**
 * Vision coverage alone, with targets weighted by their relevance to the question. Not part of the paper. Its focus, 3, was chosen
 * on questions about validation scenes of the embedded models.
 */
export const mmtokFocused: Method = coverageMethod({
  name: 'mmtok-focused',
  title: 'MMTok, focused',
  coverage: [visionCoverage({ focus: 3 })],
});

/** Text coverage alone. Once every word is covered, the remaining picks are the lowest indices. */
export const textOnly: Method = coverageMethod({
  name: 'text-only',
  title: 'Text coverage only',
  needs: ['question'],
  coverage: [textCoverage()],
});

/** Vision coverage alone. */
export const visionOnly: Method = coverageMethod({
  name: 'vision-only',
  title: 'Vision coverage only',
  coverage: [visionCoverage()],
});

/**
 * Vision coverage alone, with an automatic focus: the less the question distinguishes between vision tokens, the weaker the focus,
 * down to none. Not part of the paper. Its thresholds were chosen on questions about validation scenes of the embedded benchmark.
 */
export const mmtokAuto: Method = coverageMethod({
  name: 'mmtok-auto',
  title: 'MMTok, auto focus',
  coverage: [visionCoverage({ focus: 'auto' })],
});

// Methods preceded by an agent, whose answer adds words to the question.

/**
 * The same method after an agent's answer, or after an oracle's, which is an upper bound for agents.
 *
 * @example
 * const methods = [cdpruner, withAgent(cdpruner), withAgent(cdpruner, 'oracle')];
 */
export function withAgent(method: Method, agent: AgentRole = 'agent'): Method {
  const { name, title, source, needs } = method;
  return {
    name: `${name}-${agent}`,
    title: `${title} + ${agent}`,
    source,
    needs,
    agent,
    select: method.select,
  };
}

/** MMTok as in its first version, https://arxiv.org/abs/2508.18264v1: a small model's answer is added to the question. */
export const mmtokAgent: Method = withAgent(mmtok);

/** {@link mmtokFocused} after a small model's answer. */
export const mmtokFocusedAgent: Method = withAgent(mmtokFocused);

/** MMTok with the right answer as text. An upper bound rather than a method. */
export const mmtokOracle: Method = withAgent(mmtok, 'oracle');

// IVC-Prune always keeps tokens whose rotary positions serve as coordinates.

/** Share of tokens kept for the highest mean cosine, and the same share for the highest mean sine, as published for LLaVA. */
const IVC_SHARE = 0.05;
/** Each of the two takes at most this share of the budget, which leaves half of a small one to MMTok. */
const MOST_IVC = 0.25;

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
  const count = Math.min(Math.round(IVC_SHARE * n), Math.floor(MOST_IVC * budget));
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
