export { agilepruner } from './agilepruner.js';
export { builtInMethods, findMethods } from './built-in-methods.js';
export { cdpruner, cdprunerOpenvino } from './cdpruner.js';
export { cenCdpruner, cenDivprune } from './cen-prune.js';
export { dartEmbedding } from './dart.js';
export {
  defineMethod,
  type GivenFeatures,
  type GivenRequest,
  type MethodDefinition,
} from './define-method.js';
export { divprune } from './divprune.js';
export { facilityLocation } from './facility-location.js';
export { farthestPoint } from './farthest-point.js';
export { fastervlm } from './fastervlm.js';
export { mmtokIvc } from './ivc.js';
export {
  type AgentRole,
  METHOD_NEEDS,
  type Method,
  type MethodFeatures,
  type MethodNeed,
  type MethodRequest,
  type MethodTile,
  needsInWords,
  type TokenPositions,
} from './method.js';
export { MethodError } from './method-error.js';
export { mmrNorm, mmrRelevance, mmrSaliency } from './mmr.js';
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
export { prunesid, prunesidSaliency } from './prunesid.js';
export { random } from './random.js';
export { resize } from './resize.js';
export { scope } from './scope.js';
export { stacktok } from './stacktok.js';
export { svdLeverage } from './svd-leverage.js';
export { stratified, uniform } from './uniform.js';
export { visionzip } from './visionzip.js';
export { vispruner } from './vispruner.js';
export { mmtokAgent, mmtokFocusedAgent, mmtokOracle, withAgent } from './with-agent.js';
export { zspaprune } from './zspaprune.js';
