export { RUN_FILES } from '../data/folder.js';
export { PruningError, RunError, RunStoppedError, UnreachableBudgetError, WriteError } from '../errors.js';
export { mergeRuns, readRun } from './merge-runs.js';
export type {
  AgentQuestion,
  AgentWords,
  EvalAgent,
  EvalAgents,
  EvalModel,
  ImageFeatures,
  ModelAnswer,
  ModelImage,
  ModelPruning,
  ModelRequest,
  ModelTimings,
  TokenBudget,
} from './model.js';
export { ALL, type EvalRecord } from './records.js';
export {
  type RunOptions,
  type RunProgress,
  type RunResult,
  runEvaluation,
  unprunedBudgets,
} from './run-evaluation.js';
export type { RunSettings } from './run-settings.js';
export { BrokenQuestionError, type RunQuestions, type SkippedQuestion } from './run-settings.js';
