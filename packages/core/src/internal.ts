// @mmtok/core/internal: shared by the packages of mmtok. Unstable: may change in any release without notice.

export { toMatrix } from './backend/tensor.js';
export { isTerm, TERM_EXPECTED } from './coverage/coverage-term.js';
export { textEvidence } from './coverage/focus-strength.js';
export { messageOf } from './errors.js';
export { explainFileError, FILE_PROBLEMS } from './internal/file-errors.js';
export {
  bfloat16sToFloats,
  bfloat16ToFloat,
  floatsToHalves,
  floatToBfloat16,
  floatToHalf,
  halfToFloat,
  halvesToFloats,
} from './internal/half.js';
export { parseOptions } from './internal/parse-options.js';
export { createRandom, shuffleFront } from './internal/random.js';
export { areTooWide, gatherRows, type NumericArray, scatterRows, sliceRows, sum } from './internal/rows.js';
export {
  type ImageTiling,
  imageGrids,
  type TokenGrid,
  tilingOf,
  tokenMarks,
} from './internal/token-marks.js';
export { checkBudget, resolveBudget } from './selection/options.js';
export { countUsefulTiles, lostDetail } from './selection/rank-tiles.js';
export { columnPeakedness, relevance } from './similarity.js';
