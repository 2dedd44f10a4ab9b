export { MethodError } from '../errors.js';
export { agilepruner } from './agilepruner.js';
export { builtInMethods, findMethods } from './built-in-methods.js';
export { cdpruner, cdprunerOpenvino } from './cdpruner.js';
export { cenCdpruner, cenDivprune } from './cen-prune.js';
export { facilityLocation, farthestPoint } from './classical.js';
export { random, stratified, uniform } from './controls.js';
export { dartEmbedding } from './dart.js';
export { divprune } from './divprune.js';
export { fastervlm } from './fastervlm.js';
export { mmtokIvc } from './ivc.js';
export {
  type AgentRole,
  defineMethod,
  type GivenFeatures,
  type GivenRequest,
  METHOD_NEEDS,
  type Method,
  type MethodDefinition,
  type MethodFeatures,
  type MethodNeed,
  type MethodRequest,
  type MethodTile,
  needsInWords,
  type TokenPositions,
} from './method.js';
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
export { mmtokAuto } from './mmtok-auto.js';
export { otprune } from './otprune.js';
export { prunesid, prunesidSaliency } from './prunesid.js';
export { resize } from './resize.js';
export { scope } from './scope.js';
export { stacktok } from './stacktok.js';
export { svdLeverage } from './svd-leverage.js';
export { visionzip } from './visionzip.js';
export { vispruner } from './vispruner.js';
export { mmtokAgent, mmtokFocusedAgent, mmtokOracle, withAgent } from './with-agent.js';
export { zspaprune } from './zspaprune.js';
