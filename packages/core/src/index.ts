// The public surface of @mmtok/core. Authors of backends find theirs in @mmtok/core/backend.

export type { Backend } from './backend/backend.js';
export type { TensorOps } from './backend/ops.js';
export type { TensorSpec, TensorSpecs } from './backend/program.js';
export { createReferenceBackend } from './backend/reference/reference-backend.js';
export type { Float32Tensor, HostTensor, MatrixInput } from './backend/tensor.js';
export {
  type BonusTerm,
  type CoverageDefinition,
  type CoverageOutputs,
  type CoverageTerm,
  defineCoverage,
  type ObjectiveTerm,
  type TargetSample,
  type TermOptions,
} from './coverage/coverage-term.js';
export { type SaliencyOptions, saliency } from './coverage/saliency.js';
export { type TextCoverageOptions, textCoverage } from './coverage/text-coverage.js';
export { type VisionCoverageOptions, visionCoverage } from './coverage/vision-coverage.js';
export * from './errors.js';
export type { CandidateGroup, Constraints } from './maximize/eligibility.js';
export type { MaximizeRequest, Maximizer } from './maximize/maximizer.js';
export type { Objective } from './maximize/objective.js';
export { type StochasticGreedyOptions, stochasticGreedy } from './maximize/stochastic-greedy.js';
export { type Budget, parseBudget } from './selection/budget.js';
export type { ImageSelectOptions, PrepareOptions } from './selection/options.js';
export { type PreparedImage, prepareImage } from './selection/prepare-image.js';
export { type RankedTiles, rankTiles, type TileRanking } from './selection/rank-tiles.js';
export { type SelectOptions, selectTokens } from './selection/select-tokens.js';
export {
  prefix,
  type Selection,
  type SelectionReason,
  type SelectionTimings,
  type SelectionTrace,
} from './selection/selection.js';
export { cosineSimilarity } from './similarity/cosine.js';
export { normalizeRows } from './similarity/normalize.js';
export { ANSWER_FORMATS, type KeywordOptions, keywords } from './text/keywords.js';
export { STOP_WORDS } from './text/stop-words.js';
