// The public API of @mmtok/core. Authors of backends also need @mmtok/core/backend.

export type { Backend, TensorOps, TensorSpec, TensorSpecs } from './backend/backend.js';
export { createReferenceBackend } from './backend/reference-backend.js';
export type { Float32Tensor, HostTensor, MatrixInput } from './backend/tensor.js';
export type { BonusTerm, CoverageTerm, ObjectiveTerm, TargetSample } from './coverage/coverage-term.js';
export {
  type CoverageContext,
  type CoverageDefinition,
  type CoverageOutputs,
  defineCoverage,
  type TermOptions,
  type TermParameters,
} from './coverage/define-coverage.js';
export {
  type SaliencyOptions,
  saliency,
  type TextCoverageOptions,
  textCoverage,
  type VisionCoverageOptions,
  visionCoverage,
} from './coverage/terms.js';
export {
  BackendRunError,
  BackendUnavailableError,
  DisposedError,
  type ErrorDetails,
  type ErrorKind,
  InvalidBudgetError,
  InvalidOptionsError,
  InvalidSelectionError,
  InvalidTensorError,
  MatrixTooLargeError,
  MmtokError,
  UnsupportedOpError,
} from './errors.js';
export { ANSWER_FORMATS, type KeywordOptions, keywords, STOP_WORDS } from './keywords.js';
export type { CandidateGroup, Constraints } from './search/eligibility.js';
export type { Objective } from './search/objective.js';
export {
  type MaximizeRequest,
  type Maximizer,
  type StochasticGreedyOptions,
  stochasticGreedy,
} from './search/search.js';
export type { ImageSelectOptions, PrepareOptions, SelectOptions } from './selection/options.js';
export { type Budget, parseBudget } from './selection/options.js';
export { type RankedTiles, rankTiles, type TileRanking } from './selection/rank-tiles.js';
export { type PreparedImage, prepareImage, selectTokens } from './selection/select-tokens.js';
export {
  prefix,
  type Selection,
  type SelectionReason,
  type SelectionTimings,
  type SelectionTrace,
} from './selection/selection.js';
export { cosineSimilarity, normalizeRows } from './similarity.js';
