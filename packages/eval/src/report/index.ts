export {
  type ComparedRow,
  compareRuns,
  comparisonNotes,
  comparisonTable,
  type RunComparison,
  verdictOf,
  writeComparison,
} from './compare-runs.js';
export { type LostKind, lostKinds } from './lost-kinds.js';
export {
  type KindScore,
  type PaperRow,
  type PrimaryMetric,
  type RowTimes,
  type RunSummary,
  type SummaryRow,
  summarizeRun,
} from './summarize-run.js';
export { toCsv, toMarkdown } from './text-formats.js';
export { writeReport } from './write-report.js';
