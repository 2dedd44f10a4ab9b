// The public surface of @mmtok/agent: what a first answer adds to the question. No model is loaded here.

export {
  type EnrichedWord,
  type Enrichment,
  type EnrichmentReason,
  enrichQuestion,
} from './enrichment/enrich-question.js';
export { type Choice, parseChoices } from './enrichment/multiple-choice.js';
export type { EnrichmentOptions, MeaninglessAnswer } from './enrichment/options.js';
