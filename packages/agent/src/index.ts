// The public surface of @mmtok/agent: agents, and what their answers add to a question.

export type { Agent, AgentAnswer, AgentCall, AgentTimings, AgentUsage } from './agent.js';
export { type Answerer, agentFrom } from './agent-from.js';
export {
  type EnrichedWord,
  type Enrichment,
  type EnrichmentReason,
  enrichQuestion,
} from './enrichment/enrich-question.js';
export { type Choice, parseChoices } from './enrichment/multiple-choice.js';
export type { EnrichmentOptions, MeaninglessAnswer } from './enrichment/options.js';
export { AgentLoadError } from './errors/agent-load-error.js';
export { createAgent, type VlmAgent } from './model/create-agent.js';
export { type CreateAgentOptions, DEFAULT_AGENT_MODEL } from './model/options.js';
