// The methods: built in by name, and what defines your own.

import { InvalidOptionsError } from '@mmtok/core';
import * as all from './all.js';
import type { Method } from './method.js';

export { MethodError } from '../errors.js';
export * from './all.js';
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

/** All built-in methods. Those that need saliency, positions or an agent come last. */
export const builtInMethods: readonly Method[] = [
  all.mmtok,
  all.mmtokPeaked,
  all.mmtokFocused,
  all.mmtokAuto,
  all.textOnly,
  all.visionOnly,
  all.random,
  all.uniform,
  all.stratified,
  all.resize,
  all.divprune,
  all.cdpruner,
  all.cdprunerOpenvino,
  all.farthestPoint,
  all.facilityLocation,
  all.stacktok,
  all.cenDivprune,
  all.cenCdpruner,
  all.dartEmbedding,
  all.otprune,
  all.svdLeverage,
  all.prunesid,
  all.mmrNorm,
  all.mmrRelevance,
  all.zspaprune,
  all.visionzip,
  all.fastervlm,
  all.vispruner,
  all.scope,
  all.prunesidSaliency,
  all.mmrSaliency,
  all.agilepruner,
  all.mmtokIvc,
  all.mmtokAgent,
  all.mmtokFocusedAgent,
  all.mmtokOracle,
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
