// Any method preceded by an agent, whose answer adds words to the question.

import type { AgentRole, Method } from './method.js';
import { mmtok, mmtokFocused } from './mmtok.js';

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
