export {
  type ComparedRow,
  compareRuns,
  comparisonNotes,
  comparisonTable,
  type RunComparison,
  verdictOf,
  writeComparison,
} from './compare-runs.js';
export {
  type KindScore,
  type PaperRow,
  type PrimaryMetric,
  type RowTimes,
  type RunSummary,
  type SummaryRow,
  summarizeRun,
} from './summarize-run.js';
export { type LostKind, lostKinds } from './tables.js';
export { toCsv, toMarkdown, writeReport } from './write-report.js';
