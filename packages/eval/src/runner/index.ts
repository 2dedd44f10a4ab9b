export type { AgentQuestion, AgentWords, EvalAgent, EvalAgents } from './eval-agent.js';
export type {
  EvalModel,
  ImageFeatures,
  ModelAnswer,
  ModelImage,
  ModelPruning,
  ModelRequest,
  ModelTimings,
  TokenBudget,
} from './eval-model.js';
export { mergeRuns, readRun } from './merge-runs.js';
export { ALL, type EvalRecord } from './record.js';
export { PruningError, RunError, RunStoppedError, WriteError } from './run-error.js';
export {
  type RunOptions,
  type RunProgress,
  type RunResult,
  runEvaluation,
  unprunedBudgets,
} from './run-evaluation.js';
export { BrokenQuestionError, type RunQuestions, type SkippedQuestion } from './run-questions.js';
export { RUN_FILES, type RunSettings } from './run-settings.js';
