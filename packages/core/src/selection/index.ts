export {
  type Budget,
  checkBudget,
  parseBudget,
  resolveBudget,
} from './budget.js';
export type { ImageSelectOptions, PrepareOptions } from './options.js';
export { type PreparedImage, prepareImage } from './prepare-image.js';
export { type SelectOptions, selectTokens } from './select-tokens.js';
export type {
  Selection,
  SelectionReason,
  SelectionTimings,
} from './selection.js';
