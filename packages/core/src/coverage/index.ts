export {
  type BonusTerm,
  type CoverageDefinition,
  type CoverageOutputs,
  type CoverageTerm,
  defineCoverage,
  type ObjectiveTerm,
  type TargetSample,
  type TermOptions,
} from './coverage-term.js';
export { type SaliencyOptions, saliency } from './saliency.js';
export { type TextCoverageOptions, textCoverage } from './text-coverage.js';
export {
  type VisionCoverageOptions,
  visionCoverage,
} from './vision-coverage.js';
