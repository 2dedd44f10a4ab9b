// The public API of @mmtok/transformers: load a model, prune it, and see which tokens were kept.

export {
  type Budget,
  type CoverageTerm,
  defineCoverage,
  InvalidBudgetError,
  InvalidOptionsError,
  InvalidSelectionError,
  type KeywordOptions,
  MmtokError,
  type ObjectiveTerm,
  prefix,
  type Selection,
  saliency,
  textCoverage,
  visionCoverage,
} from '@mmtok/core';
export { type CreateVlmOptions, createVlm, type Vlm } from './create-vlm.js';
export * from './errors.js';
export type { Checkpoint, ModelFamily, PrunedFamily, UnsupportedFamily } from './families/family.js';
export { type FitImageOptions, type FittedImage, fitImage } from './families/fit-image.js';
export { families } from './families/index.js';
export { type ModelInputs, type ProcessRequest, processInputs } from './families/process.js';
export type { PromptMessage, PromptPart, PromptRequest } from './families/prompt-text.js';
export { type LoadedVlm, type LoadVlmOptions, loadVlm } from './files/load-vlm.js';
export { type LoadTap, type TapOptions, tapVisionEncoder } from './files/tap.js';
export type { Library } from './internal/types.js';
export type { CallOptions, OnReport, PruneOptions, SelectionOptions } from './options.js';
export type { PhaseCosts } from './plan/costs.js';
export { type ProfiledVlm, type ProfileOptions, profileVlm, type VlmProfile } from './plan/profile.js';
export type { TokenCount } from './prompt/prompt.js';
export { type PrunedGenerateOptions, type PruneHandle, prune } from './prune.js';
export type { Agent, AgentOptions, AgentReply, CallAgent } from './question/agent.js';
export type { QuestionTokens, TextPreparation } from './question/question.js';
export type * from './report.js';
export type { Select, SelectFeatures, SelectRequest } from './select/by-function.js';
export type { ImageSize } from './select/features.js';
export type {
  Allocation,
  FitContext,
  PromptBudget,
  RankTiles,
  TileBudget,
  TileFacts,
  UsefulTiles,
} from './select/pools.js';
export type { Standardize } from './select/standardize.js';
export type { Answer, AnswerStream, Usage } from './vlm/answer.js';
export type { CanvasLike, ImageInput, PixelData } from './vlm/images.js';
export type { AskOptions, AskRequest, Keep, Message, MessagePart, TimeBudget } from './vlm/request.js';
