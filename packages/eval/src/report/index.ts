export { type ComparedRow, compareRuns, type RunComparison, verdictOf } from './compare-runs.js';
export { toCsv } from './csv.js';
export { type LostKind, lostKinds } from './lost-kinds.js';
export { toMarkdown } from './markdown.js';
export type { PaperRow } from './paper-rows.js';
export {
  type Headline,
  type KindScore,
  type RowTimes,
  type RunSummary,
  type SummaryRow,
  summarizeRun,
} from './summarize-run.js';
export { comparisonNotes, comparisonTable, writeComparison } from './write-comparison.js';
export { writeReport } from './write-report.js';
