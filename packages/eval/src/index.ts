// The public surface of @mmtok/eval: selectors behind one interface, their comparison on a model, and its statistics.

export {
  type Answer,
  type CompareOptions,
  type Comparison,
  type ComparisonRow,
  compareSelectors,
  type EvalModel,
  type EvalQuestion,
} from './comparison/compare-selectors.js';
export { type MmtokSelectorOptions, mmtokSelector } from './selectors/mmtok-selector.js';
export { type RandomSelectorOptions, randomSelector } from './selectors/random-selector.js';
export type { Selector, SelectorInput } from './selectors/selector.js';
export { uniformSelector } from './selectors/uniform-selector.js';
export {
  type BootstrapOptions,
  type Interval,
  meanDifference,
  retention,
} from './statistics/paired-bootstrap.js';
