// The public API of @mmtok/agent: agents, and the words that their answers add to a question.

export {
  type Agent,
  type AgentAnswer,
  type AgentCall,
  type AgentTimings,
  type AgentUsage,
  type Answerer,
  agentFrom,
} from './agent.js';
export {
  type CreateAgentOptions,
  createAgent,
  DEFAULT_AGENT_MODEL,
  type VlmAgent,
} from './create-agent.js';
export {
  type EnrichedWord,
  type Enrichment,
  type EnrichmentReason,
  enrichQuestion,
} from './enrichment/enrich-question.js';
export { type Choice, parseChoices } from './enrichment/multiple-choice.js';
export type { EnrichmentOptions, MeaninglessAnswer } from './enrichment/options.js';
