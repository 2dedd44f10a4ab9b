export { builtInMethods, findMethods } from './built-in-methods.js';
export { cdpruner, cdprunerOpenvino } from './cdpruner.js';
export { cenCdpruner, cenDivprune } from './cen-prune.js';
export { dartEmbedding } from './dart.js';
export { defineMethod, type MethodDefinition } from './define-method.js';
export { divprune } from './divprune.js';
export { facilityLocation } from './facility-location.js';
export { farthestPoint } from './farthest-point.js';
export { fastervlm } from './fastervlm.js';
export { MethodError } from './method-error.js';
export {
  type CoverageMethodOptions,
  coverageMethod,
  mmtok,
  mmtokFocused,
  mmtokPeaked,
  textOnly,
  visionOnly,
} from './mmtok.js';
export { otprune } from './otprune.js';
export { random } from './random.js';
export { scope } from './scope.js';
export type { AgentRole, Selector, SelectorInput, SelectorNeed } from './selector.js';
export { stacktok } from './stacktok.js';
export { svdLeverage } from './svd-leverage.js';
export { uniform } from './uniform.js';
export { visionzip } from './visionzip.js';
export { vispruner } from './vispruner.js';
export { mmtokAgent, mmtokFocusedAgent, mmtokOracle, withAgent } from './with-agent.js';
