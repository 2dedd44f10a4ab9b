// Everything in @mmtok/eval. The subpaths /methods, /tasks, /metrics, /speed and /stats load less.

export { PruningError, RunError, RunStoppedError, UnreachableBudgetError, WriteError } from './errors.js';
export * from './methods/index.js';
export {
  type ComparedRow,
  compareRuns,
  comparisonNotes,
  comparisonTable,
  type RunComparison,
  verdictOf,
  writeComparison,
} from './report/compare-runs.js';
export {
  type KindScore,
  type PaperRow,
  type PrimaryMetric,
  type RowTimes,
  type RunSummary,
  type SummaryRow,
  summarizeRun,
} from './report/summarize-run.js';
export { type LostKind, lostKinds } from './report/tables.js';
export { toCsv, toMarkdown, writeReport } from './report/write-report.js';
export { mergeRuns, readRun } from './runner/merge-runs.js';
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
} from './runner/model.js';
export { ALL, type EvalRecord } from './runner/records.js';
export {
  type RunOptions,
  type RunProgress,
  type RunResult,
  runEvaluation,
  unprunedBudgets,
} from './runner/run-evaluation.js';
export type { RunSettings } from './runner/run-settings.js';
export { BrokenQuestionError, type RunQuestions, type SkippedQuestion } from './runner/run-settings.js';
export * from './speed/index.js';
export * from './stats/index.js';
export * from './tasks/index.js';
