// @mmtok/core/internal: shared by the packages of mmtok. Unstable: may change in any release without notice.

export { isTerm, TERM_EXPECTED } from './coverage/coverage-term.js';
export { BACKGROUND_FOCUS, DETAIL_FOCUS, focusStrength, TYPICAL_FOCUS } from './coverage/focus-strength.js';
export { explainFileError, FILE_PROBLEMS, messageOf, parseOptions } from './errors.js';
export { floatsToHalves, floatToBfloat16 } from './internal/half.js';
export { fasterMethods, type ImageClasses, type ImageProcessorLike } from './internal/image-processor.js';
export { gatherRows, scatterRows, sum } from './internal/rows.js';
export { STOP_SPINNING } from './internal/session-options.js';
export {
  type ImageTiling,
  imageGrids,
  type TokenGrid,
  tilingOf,
  tokenMarks,
} from './internal/token-marks.js';
export { createRandom, shuffleFront } from './search/sampling.js';
export { checkBudget, resolveBudget } from './selection/options.js';
export { countUsefulTiles, lostDetail } from './selection/rank-tiles.js';
export { tileRelevance } from './selection/tile-relevance.js';
export { areTooWide, columnPeakedness, relevance } from './similarity.js';
