// The public surface of @mmtok/transformers: attach pruning, load models, and what both report.

export type { Agent, AgentOptions, AgentReply, CallAgent } from './agent/agent.js';
export type { AgentReport } from './agent/agent-report.js';
export type { Allocation, FitContext, PromptBudget } from './budget/prompt-budget.js';
export type { TokenCount } from './count-tokens.js';
export { type CreateVlmOptions, createVlm, type Vlm } from './create-vlm.js';
export * from './errors/index.js';
export { type ModelInputs, type ProcessRequest, processInputs } from './families/process.js';
export type { PromptMessage, PromptPart, PromptRequest } from './families/prompt-text.js';
export type { Standardise } from './features/standardise.js';
export type { VisionFeatureSource } from './features/vision-features.js';
export { type Library, type LoadedVlm, type LoadVlmOptions, loadVlm } from './files/load-vlm.js';
export { type LoadTap, type TapOptions, tapVisionEncoder } from './files/tap.js';
export type { Checkpoint, ModelFamily, PrunedFamily, RefusedFamily } from './models/family.js';
export { families } from './models/registry.js';
export type {
  CallOptions,
  KeywordOptions,
  PictureSize,
  PruneOptions,
  QuestionTokens,
  SelectionOptions,
} from './options.js';
export type { PositionPolicy } from './positions/policy.js';
export { type PruneHandle, prune } from './prune.js';
export type { Question, QuestionSource } from './question/question.js';
export type {
  ImageReport,
  PruneReason,
  PruneReport,
  PruneTimings,
  RowReport,
  TileReport,
} from './report/prune-report.js';
export type { Answer, AnswerStream, Usage } from './vlm/answer.js';
export type { CanvasLike, ImageInput, PixelData } from './vlm/images.js';
export type { AskRequest, Keep, Message, MessagePart } from './vlm/request.js';
