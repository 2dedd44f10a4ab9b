// The methods: built in by name, and what defines your own.

import { InvalidOptionsError } from '@mmtok/core';
import { random, resize, stratified, uniform } from './controls.js';
import { dartEmbedding } from './dart.js';
import {
  cdpruner,
  cdprunerOpenvino,
  cenCdpruner,
  cenDivprune,
  divprune,
  farthestPoint,
  otprune,
} from './diversity.js';
import { facilityLocation, scope } from './facility-location.js';
import type { Method } from './method.js';
import { mmrNorm, mmrRelevance, mmrSaliency } from './mmr.js';
import {
  mmtok,
  mmtokAgent,
  mmtokAuto,
  mmtokFocused,
  mmtokFocusedAgent,
  mmtokIvc,
  mmtokOracle,
  mmtokPeaked,
  textOnly,
  visionOnly,
} from './mmtok.js';
import { agilepruner, fastervlm, visionzip, vispruner } from './saliency.js';
import { prunesid, prunesidSaliency, svdLeverage } from './spectral.js';
import { stacktok } from './stacktok.js';
import { zspaprune } from './zspaprune.js';

export { MethodError } from '../errors.js';
export * from './controls.js';
export * from './dart.js';
export * from './diversity.js';
export * from './facility-location.js';
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
export * from './mmr.js';
export * from './mmtok.js';
export * from './saliency.js';
export * from './spectral.js';
export * from './stacktok.js';
export * from './zspaprune.js';

/** All built-in methods. Those that need saliency, positions or an agent come last. */
export const builtInMethods: readonly Method[] = [
  mmtok,
  mmtokPeaked,
  mmtokFocused,
  mmtokAuto,
  textOnly,
  visionOnly,
  random,
  uniform,
  stratified,
  resize,
  divprune,
  cdpruner,
  cdprunerOpenvino,
  farthestPoint,
  facilityLocation,
  stacktok,
  cenDivprune,
  cenCdpruner,
  dartEmbedding,
  otprune,
  svdLeverage,
  prunesid,
  mmrNorm,
  mmrRelevance,
  zspaprune,
  visionzip,
  fastervlm,
  vispruner,
  scope,
  prunesidSaliency,
  mmrSaliency,
  agilepruner,
  mmtokIvc,
  mmtokAgent,
  mmtokFocusedAgent,
  mmtokOracle,
];

/**
 * Finds methods by name.
 * @param own additional methods, which take precedence over built-in ones of the same name.
 * @throws InvalidOptionsError for an unknown name; lists the known ones.
 */
export function findMethods(names: readonly string[], own: readonly Method[] = []): Method[] {
  const known = [...own, ...builtInMethods];
  return names.map((name) => {
    const found = known.find((method) => method.name === name);
    if (found !== undefined) return found;
    const all = [...new Set(known.map((method) => method.name))].join(', ');
    throw new InvalidOptionsError('methods', [`unknown method '${name}'; known: ${all}`]);
  });
}
