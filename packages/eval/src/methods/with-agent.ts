// Any method with an agent before it: the words of a first answer join the question's. Who answers is not its concern.

import type { AgentRole, Method } from './method.js';
import { mmtok, mmtokFocused } from './mmtok.js';

/**
 * The same method after an agent's answer, or after an oracle's, which bounds what any agent can give.
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

/** MMTok as in its first version, https://arxiv.org/abs/2508.18264v1: a small model's answer joins the question. */
export const mmtokAgent: Method = withAgent(mmtok);

/** {@link mmtokFocused} after a small model's answer. */
export const mmtokFocusedAgent: Method = withAgent(mmtokFocused);

/** MMTok with the true answer as text. No method: it knows what is asked for. */
export const mmtokOracle: Method = withAgent(mmtok, 'oracle');
